"""Options behind the ``?`` of ``DATABASE_URL``: each is known to Django or to the driver.

Hosting services append options of other clients, which a driver refuses with a ``TypeError`` at
the first connection. What means the same is translated, the rest is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .environment import NO, YES

Convert = Callable[[str], Any]

SSL_MODES = {
    "disable": "DISABLED",
    "prefer": "PREFERRED",
    "require": "REQUIRED",
    "verify-ca": "VERIFY_CA",
    "verify-full": "VERIFY_IDENTITY",
}
"""PostgreSQL's words for the modes of MySQL."""


ISOLATION_LEVELS = ("read uncommitted", "read committed", "repeatable read", "serializable")


def yes_or_no(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError("true or false")
    return text.lower() in YES


def number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError("a whole number of 0 or more")
    return int(text)


def seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        raise ValueError("a number of seconds")
    return float(text)


def number_or_none(text: str) -> int | None:
    return None if text.lower() == "none" else number(text)


def one_of(*words: str) -> Convert:
    """Return a reader of one of ``words``, which people write in upper case and with hyphens."""

    def read(text: str) -> str:
        found = text.lower().replace("_", "-").replace(" ", "-")
        if found not in (word.lower().replace(" ", "-") for word in words):
            raise ValueError(f"one of {', '.join(words)}")
        return next(word for word in words if word.lower().replace(" ", "-") == found)

    return read


def word(text: str) -> str:
    if not text:
        raise ValueError("a text")
    return text


def mysql_ssl_mode(text: str) -> str:
    mode = SSL_MODES.get(text.lower(), text.upper().replace("-", "_"))
    if mode not in SSL_MODES.values():
        raise ValueError(f"one of {', '.join(SSL_MODES.values())}")
    return mode


def isolation_of_postgresql(text: str) -> int:
    """Return the number that psycopg has for a level; that number itself is one of 1 to 4."""
    numbers = [str(number) for number in range(1, 1 + len(ISOLATION_LEVELS))]
    level = one_of(*ISOLATION_LEVELS, *numbers)(text)
    return int(level) if level in numbers else ISOLATION_LEVELS.index(level) + 1


OF_DJANGO: dict[str, Convert] = {
    "conn_max_age": number_or_none,
    "conn_health_checks": yes_or_no,
    "atomic_requests": yes_or_no,
    "disable_server_side_cursors": yes_or_no,
}
OF_SQLITE: dict[str, Convert] = {
    "timeout": seconds,
    "transaction_mode": one_of("IMMEDIATE", "DEFERRED", "EXCLUSIVE"),
    "init_command": word,
    "cached_statements": number,
}
OF_POSTGRESQL: dict[str, Convert] = {
    "pool": yes_or_no,
    "ssl": yes_or_no,
    "server_side_binding": yes_or_no,
    "assume_role": word,
    "isolation_level": isolation_of_postgresql,
    "prepare_threshold": number_or_none,
    # What libpq would refuse with the first connection only.
    "sslmode": one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "connect_timeout": number,
    "keepalives": number,
    "keepalives_idle": number,
    "keepalives_interval": number,
    "keepalives_count": number,
    "tcp_user_timeout": number,
}
OF_MYSQL: dict[str, Convert] = {
    "charset": word,
    "collation": word,
    "compress": yes_or_no,
    "connect_timeout": number,
    "init_command": word,
    "isolation_level": one_of(*ISOLATION_LEVELS),
    "local_infile": number,
    "read_default_file": word,
    "read_default_group": word,
    "read_timeout": number,
    "reconnect": yes_or_no,
    "sql_mode": word,
    "ssl_mode": mysql_ssl_mode,
    "ssl_ca": word,
    "ssl_capath": word,
    "ssl_cert": word,
    "ssl_cipher": word,
    "ssl_key": word,
    "unix_socket": word,
    "use_unicode": yes_or_no,
    "write_timeout": number,
}


def sqlite_options(query: Mapping[str, str]) -> dict[str, Any]:
    """Return settings for ``query``. This and its neighbours raise as ``read_options`` does."""
    return read_options("SQLite", query, OF_SQLITE)


def postgresql_options(query: Mapping[str, str]) -> dict[str, Any]:
    """Return settings for ``query``; what libpq takes is passed on as text."""
    from psycopg.pq import Conninfo

    of_libpq = {option.keyword.decode(): word for option in Conninfo.get_defaults()}
    settings = read_options(
        "PostgreSQL", query, of_libpq | OF_POSTGRESQL, aliases={"ssl_mode": "sslmode"}
    )
    options = settings["OPTIONS"]
    if options.pop("ssl", False):  # JDBC's word, which libpq takes in URLs as well
        options.setdefault("sslmode", "require")
    return settings


def mysql_options(query: Mapping[str, str]) -> dict[str, Any]:
    """Return settings for ``query``, with the files of certificates where the driver wants them."""
    settings = read_options("MySQL", query, OF_MYSQL, aliases={"sslmode": "ssl_mode"})
    options = settings["OPTIONS"]
    options.pop("reconnect", None)  # an option of PHP's driver; Django reconnects by itself
    files = [name for name in options if name.startswith("ssl_") and name != "ssl_mode"]
    if files:
        options["ssl"] = {name.removeprefix("ssl_"): options.pop(name) for name in files}
    return settings


def query_options(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the options of a URL by their names as written.

    Raises:
        ImproperlyConfigured: one was given twice: which one counts, each reader decides otherwise.
    """
    options: dict[str, str] = {}
    for name, text in pairs:
        if name in options:
            raise twice(f"{name} twice")
        options[name] = text
    return options


def option_name(written: str) -> str:
    return written.lower().replace("-", "_")


def twice(names: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASE_URL has the option {names}. Leave one of them.")


def read_options(
    product: str,
    query: Mapping[str, str],
    of_driver: Mapping[str, Convert],
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the keys of a ``DATABASES`` entry for ``query``, among them ``OPTIONS``.

    Raises:
        ImproperlyConfigured: an option that nobody knows, or a value that it cannot have.
    """
    settings: dict[str, Any] = {"OPTIONS": {}}
    known = {**OF_DJANGO, **of_driver}
    given: dict[str, str] = {}
    for written, text in query.items():
        name = option_name(written)
        name = aliases.get(name, name)
        if name in given:
            raise twice(f"{given[name]} and {written}")
        given[name] = written
        if name not in known:
            raise ImproperlyConfigured(
                f"DATABASE_URL has the option {written!r}, which {product}'s driver for Python "
                f"does not know. Remove it, or use one of {', '.join(sorted(known))}."
            )
        try:
            value = known[name](text)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"DATABASE_URL has {written}={text}. Accepted is {error}."
            ) from None
        if name in OF_DJANGO:
            settings[name.upper()] = value
        else:
            settings["OPTIONS"][name] = value
    return settings
