"""``DATABASE_URL`` to Django's settings. A complaint never repeats the URL: it holds a password."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

ACCEPTED = """Accepted are
  sqlite:///FILE (sqlite:////ABSOLUTE/FILE)
  postgres://USER:PASSWORD@HOST:PORT/NAME
  mysql://USER:PASSWORD@HOST:PORT/NAME (MariaDB as well)
  postgres:///NAME and mysql:///NAME (this machine's server, by its socket, as who runs this)
with special characters in USER and PASSWORD percent-encoded."""

# Scheme of the URL: product, module of its driver, extra in pyproject.toml.
DRIVERS = {
    "postgres": ("PostgreSQL", "psycopg", "postgresql"),
    "postgresql": ("PostgreSQL", "psycopg", "postgresql"),
    "mysql": ("MariaDB or MySQL", "MySQLdb", "mysql"),
}


def database(url: str, base_dir: Path) -> dict[str, Any]:
    """``DATABASES["default"]`` for ``url``; a relative SQLite file lies in ``base_dir``.

    Raises:
        ImproperlyConfigured: no URL, a malformed one, or one whose driver is not installed.
    """
    if not url:
        raise ImproperlyConfigured(f"DATABASE_URL is not set, and this is production. {ACCEPTED}")
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        return sqlite(url, base_dir)
    if scheme in DRIVERS:
        return server(url, *DRIVERS[scheme])
    raise ImproperlyConfigured(f"DATABASE_URL does not begin with a known scheme. {ACCEPTED}")


def sqlite(url: str, base_dir: Path) -> dict[str, Any]:
    settings = parse(url)
    if settings["NAME"] in ("", ":memory:"):
        raise ImproperlyConfigured(
            f"DATABASE_URL names no SQLite file, and processes cannot share memory. {ACCEPTED}"
        )
    settings["NAME"] = str(base_dir / settings["NAME"])
    settings["OPTIONS"] = {
        # Take the write lock when a transaction begins: a late upgrade fails without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds to wait for that lock
        # Readers and the one writer do not block each other.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        **settings.get("OPTIONS", {}),
    }
    return settings


def server(url: str, product: str, driver: str, extra: str) -> dict[str, Any]:
    settings = parse(url)
    if not settings["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL ends without the database's name. {ACCEPTED}")
    if find_spec(driver) is None:
        raise ImproperlyConfigured(
            f"DATABASE_URL names {product}, but its driver {driver} is not installed: "
            f"python -m pip install -e '.[{extra}]'"
        )
    settings["CONN_MAX_AGE"] = 60
    settings["CONN_HEALTH_CHECKS"] = True
    settings["OPTIONS"] = {"connect_timeout": 10, **settings.get("OPTIONS", {})}
    return settings


def parse(url: str) -> dict[str, Any]:
    try:
        return dict(environ.Env.db_url_config(url))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL is malformed. {ACCEPTED}") from error
