"""What ``manage.py check --database`` and ``migrate`` say of the database.

A small character set refuses names and messages at run time, or keeps other letters than it was
given. A database that takes no writes cannot be given its tables.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from ..conf import conf

FULL = "utf8mb4"
MOVE_ON_MYSQL = (
    f"Make another database with CREATE DATABASE ... CHARACTER SET {FULL}, name it in DATABASES, "
    "run manage.py migrate and, while nothing else runs, move the rows: "
    "mariadb-dump --no-create-info --replace OLD | mariadb NEW"
)
MOVE_ON_POSTGRESQL = (
    "It cannot be changed: make another database with createdb --encoding=UTF8 "
    "--template=template0 NEW, move what is there with pg_dump OLD | psql NEW while nothing else "
    "runs, and name the new one in DATABASES."
)


def check_character_set(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Check that the scheduler's database, its tables and the connection take every character."""
    try:
        using = conf().DATABASE
    except ImproperlyConfigured:  # which check_settings reports
        return []
    if using not in (databases or ()):
        return []
    vendor = connections[using].vendor
    if vendor == "mysql":
        return _mysql(using)
    return _postgresql(using) if vendor == "postgresql" else []


def check_writable(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Check that the scheduler's database takes writes, as long as ``migrate`` has any to make."""
    try:
        using = conf().DATABASE
    except ImproperlyConfigured:  # which check_settings reports
        return []
    if using not in (databases or ()) or not (found := _why_read_only(using)):
        return []
    why, remedy = found
    executor = MigrationExecutor(connections[using])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return []
    what = f"The database {using!r} lacks migrations, and takes no writes: {why}."
    return [Error(what, hint=f"{remedy}, and run manage.py migrate.", id="scheduler.E019")]


def _why_read_only(using: str) -> tuple[str, str] | None:
    """Return why nothing can be written, and what to do about it; None if something can."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        return _why_file_is_read_only(connection)
    if connection.vendor == "postgresql":
        (setting,) = _row(using, "SHOW transaction_read_only")
        (is_replica,) = _row(using, "SELECT pg_is_in_recovery()")
        if is_replica:
            return "its server is a replica", "Name the primary in DATABASES"
        remedy = (
            "End default_transaction_read_only, of the server, the database, the user or OPTIONS"
        )
        return ("its transactions are read-only", remedy) if setting == "on" else None
    names = "('tx_read_only', 'transaction_read_only')"  # of MariaDB, and of MySQL
    read_only = _row(using, f"SHOW VARIABLES WHERE variable_name IN {names} AND value = 'ON'")
    remedy = "End the setting transaction_read_only, of the server or of OPTIONS"
    return ("its transactions are read-only", remedy) if read_only else None


def _why_file_is_read_only(connection: Any) -> tuple[str, str] | None:
    path = Path(connection.settings_dict["NAME"]).absolute()
    if not connection.is_in_memory_db() and path.parent.is_dir():
        for each in (path, path.parent):  # beside it SQLite writes its log
            if each.exists() and not os.access(each, os.W_OK):
                return (
                    f"{each} may not be written",
                    "Let who runs this write the file and its folder",
                )
    (is_query_only,) = _row(connection.alias, "PRAGMA query_only")
    remedy = "Remove PRAGMA query_only from DATABASES[...]['OPTIONS']"
    return ("PRAGMA query_only is on", remedy) if is_query_only else None


def _postgresql(using: str) -> list[CheckMessage]:
    (encoding,) = _row(using, "SHOW server_encoding")
    if encoding == "UTF8":
        return []
    return [_error(f"The database {using!r} has the encoding {encoding}", MOVE_ON_POSTGRESQL)]


def _mysql(using: str) -> list[CheckMessage]:
    """Read the tables, too: a later change of the database's character set leaves them alone."""
    messages: list[CheckMessage] = []
    name, of_database, of_connection = _row(
        using, "SELECT DATABASE(), @@character_set_database, @@character_set_connection"
    )
    if tables := _small_tables(using):
        what = f"{len(tables)} tables of the database {using!r}, such as {tables[0]},"
        messages.append(_error(f"{what} have a character set other than {FULL}", MOVE_ON_MYSQL))
    elif of_database != FULL:
        remedy = f"Run ALTER DATABASE `{name}` CHARACTER SET {FULL}"
        what = f"The database {using!r} has the character set {of_database}"
        messages.append(_error(what, f"{remedy}, and then manage.py migrate."))
    if of_connection != FULL:
        what = f"Connections to the database {using!r} use the character set {of_connection}"
        remedy = f'Set DATABASES[{using!r}]["OPTIONS"]["charset"] = "{FULL}" (in a URL, ?charset=).'
        messages.append(_error(what, remedy))
    return messages


def _small_tables(using: str) -> list[str]:
    ours = [model._meta.db_table for model in apps.get_app_config("scheduler").get_models()]
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND character_set_name <> %s"
            " AND table_name IN %s ORDER BY table_name",
            [FULL, ours],
        )
        return [name for (name,) in cursor.fetchall()]


def _row(using: str, statement: str) -> tuple[Any, ...]:
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def _error(what: str, remedy: str) -> Error:
    reason = "which lacks letters that ids, arguments and messages of jobs may hold"
    return Error(f"{what}, {reason}.", hint=remedy, id="scheduler.E018")
