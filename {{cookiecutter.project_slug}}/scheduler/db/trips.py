"""Send the statements of one transaction in few round trips: over a network, those are its time.

``transaction_in_few_trips`` is ``transaction.atomic`` for a transaction whose statements are known
before their answers are. What is put off by ``later`` goes out, in order, with the next statement
that somebody waits for, and at the latest before the commit. ``BEGIN`` rides along with the first
of them, and on PostgreSQL ``COMMIT`` with the last.

PostgreSQL and MySQL take several statements in one message and answer each: an error ends the
message there, and rolls the transaction back as ever. SQLite has no round trips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections, transaction

SEPARATOR = ";\n"
MESSAGE_CHARS = 1_000_000
"""Of values in one message, about: MySQL and MariaDB refuse one of more than 16 MB."""


@dataclass(frozen=True)
class Statement:
    """One statement with its values."""

    sql: str
    params: Sequence[Any] = ()
    many: Sequence[Sequence[Any]] = ()
    """Instead of ``params``: execute it with each of these. Only where nothing is joined."""

    @property
    def chars(self) -> int:
        """Return about how long it is in the message."""
        texts = sum(len(value) for value in self.params if isinstance(value, str))
        return len(self.sql) + texts


@dataclass
class Answer:
    """What the database says to a statement."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    count: int = 0
    """Rows that it matched or returned."""


Heard = Callable[[Answer], None]


class _Trips:
    """The open transaction of one connection, and what is to be sent before its next answer."""

    def __init__(self, connection: Any, begins: bool) -> None:
        self._connection = connection
        self._joined = joins(connection)
        self._owed: list[tuple[Statement, Heard]] = []
        self._is_sending = False
        self._begins = self.owes_begin = begins
        """Whether it is ours to begin and to commit: not as another one's savepoint."""

    def later(self, statement: Statement, heard: Heard) -> None:
        self._owed.append((statement, heard))

    def send(self, *statements: Statement, commit: bool = False) -> list[Answer]:
        """Send what was put off, then these. Raises what an answer's reader raises."""
        owed, self._owed = self._owed, []
        everything = [statement for statement, _ in owed] + list(statements)
        if self.owes_begin:
            everything.insert(0, Statement("BEGIN"))
        if commit:
            everything.append(Statement("COMMIT"))
        if not everything:
            return []
        self._is_sending = True
        try:
            answers = _send(self._connection, everything, self._joined)
        finally:
            self._is_sending = False
        answers = answers[1 if self.owes_begin else 0 :]
        self.owes_begin = False
        for (_, heard), answer in zip(owed, answers, strict=False):
            heard(answer)
        return answers[len(owed) :]

    def before_others(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Send what was put off before a statement of Django's own, and within the transaction."""
        if not self._is_sending and (self._owed or self.owes_begin):
            self.send()
        return execute(sql, params, many, context)

    def finish(self) -> None:
        """Send what is left before Django's commit, which finds it committed if that rode along.

        It never rides with the first message: what is asked there may refuse, as a fence does.
        Only PostgreSQL's driver knows that nothing is left to commit; MySQL's would ask again.
        """
        connection = self._connection
        is_begun = self._begins and not self.owes_begin
        rides = is_begun and not connection.needs_rollback and connection.vendor == "postgresql"
        self.send(commit=bool(rides and self._owed))


_open: WeakKeyDictionary[Any, _Trips] = WeakKeyDictionary()
"""By connection, which is its thread's own."""


@contextmanager
def transaction_in_few_trips(using: str) -> Iterator[None]:
    """Open a transaction. Inside another one it is that one's savepoint, as with ``atomic``."""
    connection = connections[using]
    begins = joins(connection) and not connection.in_atomic_block and connection.get_autocommit()
    outer, trips = _open.get(connection), _Trips(connection, begins)
    with _atomic(connection, begins), connection.execute_wrapper(trips.before_others):
        _open[connection] = trips
        try:
            yield
            trips.finish()
        finally:
            _open.pop(connection)
            if outer is not None:
                _open[connection] = outer


def later(using: str, statement: Statement, heard: Heard = lambda answer: None) -> None:
    """Execute the statement with the next one that is waited for.

    Outside of a transaction in few trips it is executed at once.

    Args:
        heard: reads the answer when it is there, in the order of the statements. What it raises
            reaches whoever sent them.
    """
    trips = _open.get(connections[using])
    if trips is None:
        heard(send(using, statement)[0])
    else:
        trips.later(statement, heard)


def send(using: str, *statements: Statement) -> list[Answer]:
    """Execute the statements, with what was put off before them, and return their answers."""
    connection = connections[using]
    trips = _open.get(connection)
    return trips.send(*statements) if trips else _send(connection, statements, joins(connection))


def joins(connection: Any) -> bool:
    """Return whether the connection takes several statements in one message.

    Two options of a project's database settings forbid it.
    """
    options = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor == "postgresql":
        return not options.get("server_side_binding", False)
    return connection.vendor == "mysql" and bool(options.get("multi_statements", True))


@contextmanager
def _atomic(connection: Any, owes_begin: bool) -> Iterator[None]:
    """Open ``atomic``, which sends no ``BEGIN`` of its own where that is owed."""
    with ExitStack() as stack:
        if owes_begin:
            # How Django begins a transaction where the driver's autocommit stays as it is.
            connection._start_transaction_under_autocommit = lambda: None
        try:
            stack.enter_context(transaction.atomic(using=connection.alias))
        finally:
            if owes_begin:
                del connection._start_transaction_under_autocommit
        yield


def _send(connection: Any, statements: Sequence[Statement], joined: bool) -> list[Answer]:
    answers: list[Answer] = []
    for message in _messages(statements) if joined else [[one] for one in statements]:
        with connection.cursor() as cursor:
            _read_times_in_c(connection, cursor)
            if message[0].many:
                cursor.executemany(message[0].sql, message[0].many)
                answers.append(_answer(cursor))
                continue
            sql = SEPARATOR.join(statement.sql for statement in message)
            cursor.execute(sql, [value for statement in message for value in statement.params])
            answers.append(_answer(cursor))
            for _ in message[1:]:
                cursor.nextset()
                answers.append(_answer(cursor))
    return answers


def _read_times_in_c(connection: Any, cursor: Any) -> None:
    """Let psycopg read times as it does by itself, which takes a fifth of the time of whole rows.

    Django's reader is Python, for connections whose time zone is not the server's: here both are
    the same moments.
    """
    if connection.vendor == "postgresql":
        cursor.cursor.adapters.register_loader(*_reader_of_times())


@lru_cache(maxsize=1)
def _reader_of_times() -> tuple[int, Any]:
    from psycopg import adapters
    from psycopg.pq import Format

    oid = adapters.types["timestamptz"].oid
    return oid, adapters.get_loader(oid, Format.TEXT)


def _messages(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    message: list[Statement] = []
    chars = 0
    for statement in statements:
        if message and chars + statement.chars > MESSAGE_CHARS:
            yield message
            message, chars = [], 0
        message.append(statement)
        chars += statement.chars
    if message:
        yield message


def _answer(cursor: Any) -> Answer:
    rows = list(map(tuple, cursor.fetchall())) if cursor.description else []
    return Answer(rows, cursor.rowcount)
