"""Notice that SQLite's file was replaced or removed, as by a restore, under an open connection.

The connection goes on in the deleted file, and sees nothing of what the others do in the new one.
"""

from __future__ import annotations

import os

from django.db import connections


class DatabaseReplaced(Exception):
    """The open connection leads to a file that is not the database any more."""


class DatabaseFile:
    """The file behind the loop's connection. Nothing on a server."""

    def __init__(self, using: str) -> None:
        settings = connections[using].settings_dict
        self._path = str(settings["NAME"]) if connections[using].vendor == "sqlite" else ""
        self._using = using
        self._connection: object = None
        self._identity: tuple[int, int] | None = None
        self._log: tuple[int, int] | None = None
        """Of the write-ahead log beside the file, once there is one."""

    def check_there(self) -> None:
        """Look before a connection is opened, which would make a new and empty file.

        Raises:
            DatabaseReplaced: there was a file, and there is none now.
        """
        if self._identity is not None and _identity(self._path) is None:
            raise DatabaseReplaced(
                f"the file {self._path} was removed under the running scheduler: no job runs until "
                "it is there again. Restore it, or run manage.py migrate to begin anew"
            )

    def check(self) -> None:
        """Compare the file under its name with the one that was there when we connected.

        Raises:
            DatabaseReplaced: it is another one; connect again.
        """
        if not self._path:
            return
        connection = connections[self._using].connection
        identity = _identity(self._path)
        log = _identity(f"{self._path}-wal")
        if connection is not self._connection:
            self._connection, self._identity, self._log = connection, identity, None
        elif identity is not None and identity != self._identity:
            raise DatabaseReplaced(
                f"the file {self._path} was replaced under the running scheduler: connecting to "
                "the new one. Stop every scheduler before a backup is restored"
            )
        elif self._log is not None and log != self._log:  # what is written goes into the lost one
            raise DatabaseReplaced(
                f"the file {self._path}-wal was removed under the running scheduler, and with it "
                "what was written last: connecting anew. Stop every scheduler before a backup is "
                "restored"
            )
        self._log = log


def _identity(path: str) -> tuple[int, int] | None:
    """Return device and inode; None for a database in memory, or while there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
