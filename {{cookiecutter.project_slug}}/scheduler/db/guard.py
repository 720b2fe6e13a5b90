"""Bring a thread's connections back to the state in which a job function found them.

What one job function leaves behind would meet the next one on that thread: an open transaction
swallows its writes, a setting of the session or an advisory lock changes what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from django.db import connections
from django.db.backends.signals import connection_created

from .connection import close_unusable

SCANNED_CHARS = 2_000
"""How much of a statement is searched: its verb stands in front, and inserts may be megabytes."""

BEFORE_VERB = r"(?:[\s(]|--[^\n]*\n|\#[^\n]*\n|/\*(?!!).*?\*/)*"
"""Spaces, comments as tools for tracing put there, and the brackets of a UNION."""
KEEPS_SESSION = re.compile(
    BEFORE_VERB + r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE|WITH|VALUES|SAVEPOINT|RELEASE"
    r"|ROLLBACK|COMMIT)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Statements whose effect ends with their transaction; of any other one nobody knows ..."""
REACHES_FURTHER = re.compile(
    r";\s*\S|:=|\bINTO\s+(?:@|(?:(?:GLOBAL|LOCAL)\s+)?TEMP)|\bAND\s+CHAIN\b"
    r"|\b(?:set_config|set_limit|setseed|pg_(?:try_)?advisory_lock(?:_shared)?|get_lock|dblink_connect\w*"
    r"|load_extension)\s*\(",
    re.IGNORECASE,
)
"""... nor of one of these with another behind it, or with such a part."""

ATTRIBUTES = ("row_factory", "text_factory", "isolation_level", "read_only", "cursor_factory")
"""What a function may set on the driver's own connection."""

SPENT = "(a transaction that an earlier run left open)"


class ConnectionGuard:
    """Watches the connections of this thread between two points.

    A connection that was inside an atomic block before, as in a test, goes back to that block; any
    other one that was changed is closed.
    """

    def __init__(self) -> None:
        opened = connections.all()
        close_unusable(opened)
        self._changed: set[str] = set()
        self._depths: dict[str, int] = {}
        self._states: dict[str, tuple[Any, ...]] = {}
        self._cursors: WeakSet[Any] = WeakSet()
        self._watch: Callable[..., Any] = self._note_statement
        for connection in opened:
            self._depths[connection.alias] = len(connection.atomic_blocks)
            self._states[connection.alias] = _state(connection)
            connection.execute_wrappers.append(self._watch)

    def release(self) -> list[str]:
        """Stop watching, and roll back and close what was left behind. Raises nothing.

        Returns:
            The aliases on which a transaction was left open.
        """
        left_open = []
        self._close_cursors()
        opened = connections.all(initialized_only=True)
        for connection in opened:
            depth = self._depths.get(connection.alias, 0)
            changed = connection.alias in self._changed | self._put_back(connection)
            try:
                is_open = _in_transaction(connection, depth, changed)
            except Exception:  # it broke, and its transaction is gone with it
                is_open, changed = False, True
            if is_open:
                left_open.append(connection.alias)
            blocks = connection.atomic_blocks[depth:]
            if depth:
                _unwind(blocks)
            elif is_open or changed:
                discard(connection)
            # A generator may still hold a block: closed later, in the middle of another run, it
            # would end the transaction of that run.
            for block in blocks:
                block.using = SPENT
        close_unusable(opened)
        return left_open

    def opened(self, connection: Any) -> None:
        """Forget the statements with which Django opened a connection."""
        self._changed.discard(connection.alias)
        wrappers, debug, _ = self._states.get(connection.alias, ([], False, ()))
        self._states[connection.alias] = (wrappers, debug, _of_driver(connection))

    def _note_statement(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        connection, cursor = context["connection"], context["cursor"]
        self._cursors.add(cursor)
        if (raw := getattr(cursor, "cursor", None)) is not None:
            with suppress(TypeError):
                self._cursors.add(raw)
        if _may_change_session(str(sql)[:SCANNED_CHARS], connection.vendor):
            self._changed.add(connection.alias)
        return execute(sql, params, many, context)

    def _close_cursors(self) -> None:
        """Close what an iterator or a traceback still holds.

        On SQLite a cursor that is half read keeps its snapshot: the next run on the connection
        would read old rows, and its first write would find the database locked.
        """
        if not self._cursors:
            return
        for cursor in list(self._cursors):
            with suppress(Exception):
                cursor.close()

    def _put_back(self, connection: Any) -> set[str]:
        """Take Django's part of the connection back; return its alias if the driver's differs."""
        wrappers, debug, of_driver = self._states.get(connection.alias, ([], False, ()))
        connection.execute_wrappers[:] = wrappers
        connection.force_debug_cursor = debug
        if not connection.atomic_blocks:
            connection.needs_rollback = False
        return set() if of_driver == _of_driver(connection) else {connection.alias}


def discard(connection: Any) -> None:
    """Close the connection and forget its wrapper, whatever state they are in. Raises nothing."""
    raw = connection.connection
    with suppress(Exception):
        if connection.vendor == "postgresql" and raw is not None:
            raw.close()  # a pool would hand it, with its settings, to the next one
    with suppress(Exception):
        connection.close()
    if connection.connection is None or connection.closed_in_transaction:
        with suppress(AttributeError):
            del connections[connection.alias]


def _may_change_session(sql: str, vendor: str) -> bool:
    if vendor == "sqlite" and sql.startswith("BEGIN"):
        return False  # an open transaction shows on the connection itself, and Django writes this
    return not KEEPS_SESSION.match(sql) or bool(REACHES_FURTHER.search(sql))


def _state(connection: Any) -> tuple[Any, ...]:
    wrappers = list(connection.execute_wrappers)
    return wrappers, connection.force_debug_cursor, _of_driver(connection)


def _of_driver(connection: Any) -> tuple[Any, ...]:
    """Return what may be set on the driver's own connection; nothing where none is open."""
    raw = connection.connection
    try:
        return () if raw is None else tuple(getattr(raw, name, None) for name in ATTRIBUTES)
    except Exception as error:  # it is closed
        return (str(error),)


def _in_transaction(connection: Any, depth: int, changed: bool) -> bool:
    """Return whether more transactions are open than before.

    Raises:
        Exception: the connection broke; drivers differ in how they say so.
    """
    raw = connection.connection
    if raw is None or len(connection.atomic_blocks) != depth:
        return len(connection.atomic_blocks) > depth
    if depth:
        return False  # within the caller's own transaction
    if getattr(raw, "closed", False) or not getattr(raw, "open", True):
        raise ConnectionError("closed behind Django's back")
    if connection.vendor == "postgresql":
        return int(raw.info.transaction_status) in (1, 2, 3)  # active, in transaction, in error
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    return _mysql_in_transaction(connection, changed)


def _mysql_in_transaction(connection: Any, changed: bool) -> bool:
    if connection.autocommit and not changed:
        return False
    if not connection.mysql_is_mariadb:
        return not connection.autocommit  # MySQL does not tell
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT @@in_transaction")
        return bool(cursor.fetchone()[0])


def _unwind(blocks: list[Any]) -> None:
    """Roll back to the savepoint of each block that was left open inside the caller's own."""
    for block in reversed(blocks):
        with suppress(Exception):
            block.__exit__(RuntimeError, RuntimeError("left open"), None)


def _forget_opening(sender: Any, connection: Any, **_: Any) -> None:
    for wrapper in connection.execute_wrappers:
        guard = getattr(wrapper, "__self__", None)
        if isinstance(guard, ConnectionGuard):
            guard.opened(connection)


connection_created.connect(_forget_opening, dispatch_uid="scheduler.db.guard")
