"""A fresh database for each run, dropped afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

WORK = Path(__file__).resolve().parent / ".work"
POSTGRESQL_URL = os.environ.get("POSTGRESQL_URL", "postgres://postgres@127.0.0.1:5432/postgres")
MYSQL_URL = os.environ.get("MYSQL_URL", "mysql://root@127.0.0.1:3306/mysql")

SQLITE, STOCK, POSTGRESQL, MARIADB = "sqlite", "sqlite-stock", "postgresql", "mariadb"
MEASURED = (SQLITE, POSTGRESQL, MARIADB)
LABELS = {
    SQLITE: "SQLite (WAL)",
    STOCK: "SQLite as Django sets it up",
    POSTGRESQL: "PostgreSQL",
    MARIADB: "MariaDB",
}


@contextmanager
def fresh(kind: str) -> Iterator[dict[str, str]]:
    """Environment variables that name a new, empty database of that kind."""
    if kind in (SQLITE, STOCK):
        WORK.mkdir(exist_ok=True)
        folder = tempfile.mkdtemp(dir=WORK)
        stock = {"BENCH_STOCK_SQLITE": "1"} if kind == STOCK else {}
        try:
            yield {"BENCH_DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", **stock}
        finally:
            shutil.rmtree(folder)
        return
    url = POSTGRESQL_URL if kind == POSTGRESQL else MYSQL_URL
    name = f"bench_{os.getpid()}"
    statements(kind, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        yield {"BENCH_DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
    finally:
        force = " WITH (FORCE)" if kind == POSTGRESQL else ""
        statements(kind, f"DROP DATABASE {name}{force}")


def version(kind: str) -> str:
    """Return the product's version.

    Raises:
        ConnectionError: the server does not answer.
    """
    if kind in (SQLITE, STOCK):
        import sqlite3

        return sqlite3.sqlite_version
    row = statements(kind, "SHOW server_version" if kind == POSTGRESQL else "SELECT version()")
    return str(row[0]).split()[0]


def statements(kind: str, *texts: str) -> tuple[object, ...]:
    """Execute the statements on the server; return the first row of the last one, if it has any.

    Raises:
        ConnectionError: the server does not answer.
    """
    try:
        connection = _postgresql() if kind == POSTGRESQL else _mariadb()
    except Exception as error:
        name = "POSTGRESQL_URL" if kind == POSTGRESQL else "MYSQL_URL"
        raise ConnectionError(f"{LABELS[kind]} does not answer at {name}: {error}") from error
    try:
        cursor = connection.cursor()
        for text in texts:
            cursor.execute(text)
        return cursor.fetchone() if cursor.description else ()  # type: ignore[return-value]
    finally:
        connection.close()


def _postgresql():  # type: ignore[no-untyped-def]
    import psycopg

    return psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=5)


def _mariadb():  # type: ignore[no-untyped-def]
    import MySQLdb

    url = urlsplit(MYSQL_URL)
    return MySQLdb.connect(
        host=url.hostname or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
        connect_timeout=5,
    )
