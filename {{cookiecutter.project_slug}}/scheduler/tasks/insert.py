"""The INSERT that enqueues tasks: one statement in the caller's transaction, wake-up included.

Not through the ORM, which takes longer to build a row of so many columns than the database to
store it. What is alike in all rows is written into the text, which is made once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections, models
from django.utils.dateparse import parse_datetime

from ..db.bulk import as_records, recordset
from ..db.clock import DbNow, db_now
from ..db.notify import CHANNEL
from ..models import Execution

MAX_ROWS = 500
"""Rows of one statement, where the database's limit of parameters does not ask for fewer."""
NOW = object()
"""Stands for the database's clock, the same in the whole statement."""
PLAIN = re.compile(r"[\w .:,\[\]-]*", re.ASCII)
"""Text that is a literal of every database once it stands in quotes."""


@dataclass(frozen=True)
class _Text:
    """SQL for one way to ask for the time."""

    clock: str
    names: str
    values: str
    """SQL of the values that are alike."""
    params: tuple[Any, ...]
    """Of ``values``; each ``NOW`` stands for the clock's own."""


class TaskInsert:
    """Inserts executions that are alike but for a few columns.

    Args:
        same: values of the columns in which all rows are alike; others have their defaults.
        columns: the columns whose values ``insert`` takes, in this order.
    """

    def __init__(self, using: str, same: Mapping[str, Any], columns: Sequence[str]) -> None:
        self._using = using
        self._fields: list[Any] = [Execution._meta.get_field(name) for name in columns]
        others = [
            field
            for field in Execution._meta.local_concrete_fields
            if field.attname not in columns and not field.primary_key
        ]
        self._same: dict[Any, Any] = {
            field: value
            for field in others
            if (value := same.get(field.attname, field.get_default())) is not None
        }
        self._text: _Text | None = None

    def insert(self, rows: Sequence[Sequence[Any]]) -> datetime:
        """Insert the rows, and wake the scheduler when they are committed.

        Returns:
            The database's time, which ``NOW`` stood for.
        """
        connection = connections[self._using]
        now = None if connection.features.can_return_rows_from_bulk_insert else db_now(self._using)
        clock, of_clock = _clock(connection, now)
        text = self._text
        if text is None or text.clock != clock:
            self._text = text = self._compile(connection, clock)
        same = [p for param in text.params for p in (of_clock if param is NOW else [param])]
        ready = [
            [f.get_db_prep_save(v, connection) for f, v in zip(self._fields, row, strict=True)]
            for row in rows
        ]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                return self._at_once(connection, cursor, text, ready, same)
            return self._in_parts(connection, cursor, text, ready, same, now)

    def _at_once(
        self, connection: Any, cursor: Any, text: _Text, rows: list[list[Any]], same: list[Any]
    ) -> datetime:
        """PostgreSQL takes any number of rows as JSON, and tells the scheduler at commit."""
        into, queued_at = _into(connection, text), connection.ops.quote_name("queued_at")
        notify = f"pg_notify('{CHANNEL}', '')"
        if len(rows) == 1:
            values = self._row(text)
            sql = f"INSERT INTO {into} VALUES {values} RETURNING {queued_at}, {notify}"  # noqa: S608
            cursor.execute(sql, [*rows[0], *same])
        else:
            given = recordset(connection, self._fields, "given")
            sql = (
                f"WITH added AS (INSERT INTO {into} "  # noqa: S608
                f"SELECT given.*, {text.values} FROM {given} "
                f"RETURNING {queued_at}) SELECT {queued_at}, {notify} FROM added LIMIT 1"
            )
            cursor.execute(sql, [*same, as_records(self._fields, rows)])
        return _aware(cursor.fetchone()[0])

    def _in_parts(
        self,
        connection: Any,
        cursor: Any,
        text: _Text,
        rows: list[list[Any]],
        same: list[Any],
        now: datetime | None,
    ) -> datetime:
        limit = connection.features.max_query_params or MAX_ROWS * 100
        size = max(min(limit // (len(self._fields) + len(same)), MAX_ROWS), 1)
        returning = "" if now else f" RETURNING {connection.ops.quote_name('queued_at')}"
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            values = ", ".join([self._row(text)] * len(part))
            sql = f"INSERT INTO {_into(connection, text)} VALUES {values}{returning}"  # noqa: S608
            cursor.execute(sql, [param for row in part for param in (*row, *same)])
            if now is None:
                now = _aware(cursor.fetchall()[0][0])
        assert now is not None
        return now

    def _row(self, text: _Text) -> str:
        return f"({'%s, ' * len(self._fields)}{text.values})"

    def _compile(self, connection: Any, clock: str) -> _Text:
        quote = connection.ops.quote_name
        names = [quote(field.column) for field in (*self._fields, *self._same)]
        same = [_value(field, value, connection, clock) for field, value in self._same.items()]
        return _Text(
            clock,
            ", ".join(names),
            ", ".join(sql for sql, _ in same),
            tuple(param for _, params in same for param in params),
        )


def latest_of_now_and(moment: datetime) -> tuple[object, datetime]:
    """Return the value of a column that is ``moment``, or now if that is later."""
    return NOW, moment


def _into(connection: Any, text: _Text) -> str:
    return f"{connection.ops.quote_name(Execution._meta.db_table)} ({text.names})"


def _clock(connection: Any, now: datetime | None) -> tuple[str, tuple[Any, ...]]:
    if now is not None:
        return "%s", (connection.ops.adapt_datetimefield_value(now),)
    sql, params = DbNow().as_sql(None, connection)
    if connection.vendor == "postgresql" and not params:
        return "statement_timestamp()", ()  # clock_timestamp() differs from column to column
    return sql, tuple(params)


def _value(field: models.Field, value: Any, connection: Any, clock: str) -> tuple[str, list[Any]]:
    """Return the SQL of a value, and its parameters."""
    if value is NOW:
        return clock, [NOW]
    if isinstance(value, tuple):
        later = "MAX" if connection.vendor == "sqlite" else "GREATEST"
        moment = connection.ops.adapt_datetimefield_value(value[1])
        return f"{later}({clock}, %s)", [NOW, moment]
    if type(value) is int:
        return str(value), []
    if type(value) is str and PLAIN.fullmatch(value):
        return f"'{value}'", []
    return "%s", [field.get_db_prep_save(value, connection)]


def _aware(read: Any) -> datetime:
    moment = parse_datetime(read) if isinstance(read, str) else read
    assert moment is not None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
