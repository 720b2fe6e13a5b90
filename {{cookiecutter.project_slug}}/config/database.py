"""``DATABASE_URL`` to Django's settings. A complaint never repeats the URL: it holds a password."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from .database_options import (
    mysql_options,
    option_name,
    postgresql_options,
    query_options,
    sqlite_options,
)
from .environment import refuse_unencoded_login

ACCEPTED = """Accepted are
  sqlite:///FILE (sqlite:////ABSOLUTE/FILE)
  postgres://USER:PASSWORD@HOST:PORT/NAME
  mysql://USER:PASSWORD@HOST:PORT/NAME (MariaDB as well)
  postgres:///NAME and mysql:///NAME (this machine's server, by its socket, as who runs this)
with special characters in USER and PASSWORD percent-encoded. HOST may be the path of a socket:
  postgres://USER@%2Fvar%2Frun%2Fpostgresql/NAME"""

HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
PLACE = {
    "host": "HOST",
    "port": "PORT",
    "user": "USER",
    "password": "PASSWORD",
    "dbname": "NAME",
    "database": "NAME",
}
"""Options that say what else stands in front of the ``?``."""


@dataclass(frozen=True)
class Server:
    product: str
    engine: str
    driver: str
    """Module of the driver."""
    extra: str
    """What brings the driver, in pyproject.toml."""
    options: Callable[[Mapping[str, str]], dict[str, Any]]


POSTGRESQL = Server(
    "PostgreSQL", "django.db.backends.postgresql", "psycopg", "postgresql", postgresql_options
)
MYSQL = Server("MariaDB or MySQL", "django.db.backends.mysql", "MySQLdb", "mysql", mysql_options)
QUOTES = ('"', "'", "`", "\N{LEFT DOUBLE QUOTATION MARK}", "\N{LEFT SINGLE QUOTATION MARK}")
SERVERS = {"postgres": POSTGRESQL, "postgresql": POSTGRESQL, "mysql": MYSQL}


def database(url: str, base_dir: Path) -> dict[str, Any]:
    """Return ``DATABASES["default"]`` for ``url``; a relative SQLite file lies in ``base_dir``.

    Raises:
        ImproperlyConfigured: no URL, a malformed one, one with an option that nobody knows, or
            one whose driver is not installed.
    """
    if not url:
        raise ImproperlyConfigured(f"DATABASE_URL is not set, and this is production. {ACCEPTED}")
    refuse_unprintable(url)
    scheme, found, rest = url.partition("://")
    scheme = scheme.lower()
    url = f"{scheme}{found}{rest}"
    if scheme == "sqlite":
        return sqlite(url, base_dir)
    if scheme in SERVERS:
        return server(url, SERVERS[scheme])
    if url[:1] in QUOTES:
        raise ImproperlyConfigured("DATABASE_URL stands in quotation marks. Write it without them.")
    named = f"begins with {scheme}://" if found else "is no URL"
    named = named if re.fullmatch("[a-z0-9+.-]{1,30}", scheme) else "is no URL"
    raise ImproperlyConfigured(f"DATABASE_URL {named}, which is not known here. {ACCEPTED}")


def refuse_unprintable(url: str) -> None:
    """Refuse what urllib drops in silence, and no server takes: a password would be another one.

    Raises:
        ImproperlyConfigured: a line break, NUL or an invisible character, as it is or encoded;
            or bytes that are no text, in whose place urllib puts a question mark.
    """
    try:
        text = unquote(url, errors="strict")
    except UnicodeDecodeError:
        raise ImproperlyConfigured(
            "DATABASE_URL holds percent-encoded bytes that are not UTF-8, such as %E4 for %C3%A4."
        ) from None
    if not text.isprintable():
        raise ImproperlyConfigured(
            "DATABASE_URL holds a line break or an invisible character. Write it on one line, "
            "without such characters."
        )


def sqlite(url: str, base_dir: Path) -> dict[str, Any]:
    parts = split(url)
    name = unquote(parts.path[1:])
    if parts.fragment:
        raise malformed()
    if parts.netloc or name in ("", ":memory:"):
        raise ImproperlyConfigured(
            f"DATABASE_URL names no SQLite file, and processes cannot share memory. {ACCEPTED}"
        )
    settings = sqlite_options(query_of(parts))
    defaults = {
        # Take the write lock when a transaction begins: a late upgrade fails without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds to wait for that lock
        # Readers and the one writer do not block each other.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(base_dir / name),
        **dict.fromkeys(("USER", "PASSWORD", "HOST", "PORT"), ""),
        **settings,
        "OPTIONS": defaults | settings["OPTIONS"],
    }


def server(url: str, to: Server) -> dict[str, Any]:
    """Return the settings for ``url``, whose options win over the defaults."""
    refuse_unencoded_login("DATABASE_URL", url)
    parts = split(url)
    place = place_of(parts)
    query = query_of(parts)
    # libpq's way, such as postgres:///NAME?host=/var/run/postgresql. A password belongs where
    # Django's reports mask it.
    for written in [name for name in query if option_name(name) in PLACE]:
        place[PLACE[option_name(written)]] = query.pop(written)
    if not all(
        re.fullmatch("[0-9]*", port) and int(port or 1) in range(1, 65536)
        for port in place["PORT"].split(",")
    ):
        raise malformed()
    if to is MYSQL and "," in place["HOST"]:
        raise ImproperlyConfigured("DATABASE_URL names several hosts: MariaDB's driver takes one.")
    if not place["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL ends without the database's name. {ACCEPTED}")
    if find_spec(to.driver) is None:
        raise ImproperlyConfigured(
            f"DATABASE_URL names {to.product}, but its driver {to.driver} is not installed: "
            f"python -m pip install -e '.[{to.extra}]'"
        )
    settings = to.options(query)
    options = {"connect_timeout": 10} | settings["OPTIONS"]
    if options.get("pool") and settings.get("CONN_MAX_AGE"):
        raise ImproperlyConfigured(
            "DATABASE_URL has pool and conn_max_age, and a pool keeps connections itself. Leave "
            "one of them."
        )
    return {
        "ENGINE": to.engine,
        **place,
        "CONN_MAX_AGE": 0 if options.get("pool") else 60,  # a pool keeps connections itself
        "CONN_HEALTH_CHECKS": True,
        **settings,
        "OPTIONS": options,
    }


def place_of(parts: SplitResult) -> dict[str, Any]:
    """Return who asks which server for which database."""
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    host, port = hosts_and_ports(hosts)
    name = unquote(parts.path[1:])
    if name.startswith("/") and host:
        raise ImproperlyConfigured(
            "DATABASE_URL has // between HOST and NAME. Write / there; a socket's path takes the "
            f"place of HOST. {ACCEPTED}"
        )
    if name.startswith("/"):  # postgres://USER@//var/run/postgresql/NAME
        host, _, name = name.rpartition("/")
    return {
        "NAME": name,
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": host,
        "PORT": port,
    }


def hosts_and_ports(text: str) -> tuple[str, str]:
    """Return host and port; those of several servers, as libpq takes them, with commas."""
    found = [HOST_AND_PORT.fullmatch(one) for one in text.split(",")]
    if not all(found):
        raise malformed()
    hosts = [unquote(match[1]).strip("[]") for match in found if match]
    ports = [match[2] or "" for match in found if match]
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise malformed() from None


def query_of(parts: SplitResult) -> dict[str, str]:
    return query_options(parse_qsl(parts.query, keep_blank_values=True))


def malformed() -> ImproperlyConfigured:
    """Without a cause: its text would repeat a part of the password."""
    return ImproperlyConfigured(f"DATABASE_URL is malformed. {ACCEPTED}")
