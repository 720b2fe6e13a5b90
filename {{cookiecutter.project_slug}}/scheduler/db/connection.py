"""Database connections: the loop's, whose waits are bounded, and those of job functions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from math import ceil
from typing import Any

from django.db import connections

from ..conf import conf

logger = logging.getLogger("scheduler.connection")


def close_old_connections() -> None:
    """Close dead and outdated connections of this thread. Raises nothing.

    As Django's, but a connection in an atomic block is left alone, as in a test.
    """
    close_unusable(connections.all(initialized_only=True))


def close_unusable(opened: Iterable[Any]) -> None:
    """Close those of this thread's connections that are dead or outdated. Raises nothing."""
    for connection in opened:
        if not connection.in_atomic_block:
            try:
                connection.close_if_unusable_or_obsolete()
            except Exception:  # it is gone all the same, and the next statement opens another
                logger.debug("Closing a broken connection failed", exc_info=True)


def skips_locked(using: str) -> bool:
    """Return whether the database can skip locked rows (``SKIP LOCKED``)."""
    return bool(connections[using].features.has_select_for_update_skip_locked)


class LoopConnection:
    """Bounds the waits of each connection that the loop's thread opens."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._prepared: Any = None

    def prepare(self) -> None:
        """Open the connection if need be, and bound its waits.

        A leader that freezes inside its transaction holds the lease's row lock: the server ends
        the session of one that idles there, so that a standby is not kept out for longer than the
        lease. MySQL can only end a session that idles anywhere, hence after twice the lease: the
        loop's own pauses between turns are far shorter.

        Behind a pooler nothing is set, since it would stick to somebody else's session. The setting
        ``DISABLE_SERVER_SIDE_CURSORS`` names one; so does a server process that is not the one
        with which the connection was made.
        """
        connection = connections[self._using]
        connection.ensure_connection()
        if self._prepared is connection.connection:
            return
        if not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            self._bound(connection)
        self._prepared = connection.connection

    def close(self) -> None:
        """Close the connection, whatever state it is in.

        The session itself, too: a pool would hand it, with these bounds, to a job function.
        """
        self._prepared = None
        connection = connections[self._using]
        try:
            if connection.vendor == "postgresql" and connection.connection is not None:
                connection.connection.close()
            connection.close()
        finally:
            connection.connection = None

    def _bound(self, connection: Any) -> None:
        idle = max(conf().LEASE_TTL / 2, 1)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_backend_pid()")
                if cursor.fetchone()[0] != connection.connection.info.backend_pid:
                    return
                cursor.execute(
                    "SELECT set_config('lock_timeout', '2s', false),"
                    " set_config('statement_timeout', '10s', false),"
                    " set_config('idle_in_transaction_session_timeout', %s, false)",
                    [f"{idle * 1000:.0f}ms"],
                )
            elif connection.vendor == "mysql":
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 2")
                if connection.mysql_is_mariadb:
                    cursor.execute(
                        "SET SESSION idle_transaction_timeout = %s, max_statement_time = 10",
                        [round(idle)],
                    )
                else:
                    cursor.execute(
                        "SET SESSION wait_timeout = %s", [max(ceil(2 * conf().LEASE_TTL), 2)]
                    )
