"""The database into a file and back, while it is in use, with each database's own means."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper

SUFFIXES = {"sqlite": ".sqlite3", "postgresql": ".dump", "mysql": ".sql"}


def backup(connection: BaseDatabaseWrapper, path: Path) -> None:
    """Write the database to ``path``, which only its owner may read and which appears when whole.

    Raises:
        CommandError: the file exists, or the database's own tool is missing or fails.
    """
    if path.exists():
        raise CommandError(f"{path} exists. Name another file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        if connection.vendor == "sqlite":
            copy_sqlite(connection.settings_dict["NAME"], draft)
        elif connection.vendor == "postgresql":
            run(connection, ["pg_dump", "--format=custom"], output=draft)
        else:
            run(connection, ["mariadb-dump|mysqldump", "--single-transaction"], output=draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def restore(connection: BaseDatabaseWrapper, path: Path) -> None:
    """Replace the database's tables by those of ``path``.

    Raises:
        CommandError: the file is missing or no backup, or the database's own tool fails.
    """
    if not path.is_file():
        raise CommandError(f"There is no file {path}.")
    connection.close()
    if connection.vendor == "sqlite":
        copy_sqlite(path, connection.settings_dict["NAME"])
    elif connection.vendor == "postgresql":
        options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
        run(connection, ["pg_restore", *options], source=path)
    else:
        run(connection, ["mariadb|mysql"], source=path)


def copy_sqlite(source: str | Path, target: str | Path) -> None:
    """Copy a SQLite database by its online backup: as of one moment, while it is in use."""
    address = f"{Path(source).absolute().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=20)) as old,
            closing(sqlite3.connect(target, timeout=20)) as new,
        ):
            if old.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise CommandError(f"{source} is damaged: PRAGMA integrity_check says where.")
            old.backup(new)
    except sqlite3.Error as error:
        raise CommandError(f"{source} cannot be copied to {target}: {error}.") from None


def run(
    connection: BaseDatabaseWrapper,
    command: list[str],
    *,
    source: Path | None = None,
    output: Path | None = None,
) -> None:
    """Run a tool with the connection's settings; the password goes through the environment."""
    # Django knows how to tell psql and mysql all of this, and their fellows take the same options.
    settings = connection.settings_dict
    (_, *options), environment = connection.client.settings_to_cmd_args_env(settings, [])
    names, *own = command
    tool = next(filter(shutil.which, names.split("|")), None)
    if tool is None:
        raise CommandError(f"{names.partition('|')[0]} is not installed on this machine.")
    if tool == "pg_restore":
        options[-1] = f"--dbname={options[-1]}"
    with open(source or os.devnull, "rb") as stdin, open(output or os.devnull, "wb") as stdout:
        done = subprocess.run(  # noqa: S603  (tools named above, and no shell)
            [tool, *own, *options],
            env={**os.environ, **(environment or {})},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        raise CommandError(f"{tool} failed: {done.stderr.strip()}")
