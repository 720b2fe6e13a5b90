"""Questions about executions whose cost does not grow with the table.

Each queryset given here must be ordered along an index and sliced; they are asked in one statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

# SQLite takes at most 500 SELECTs in one compound statement.
MOST = 500


class Glance(NamedTuple):
    """As much of an execution as a picture needs; a thousand of them are read in a moment."""

    pk: int
    job_id: str
    status: str
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def duration(self) -> timedelta | None:
        if self.started_at and self.finished_at:
            return self.finished_at - self.started_at
        return None


def counts(querysets: Sequence[QuerySet], cap: int) -> list[int]:
    """How many rows each queryset has; ``cap`` means that many or more."""
    if not querysets:
        return []
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        sql, values = _compiled(queryset.order_by().values("pk")[:cap])
        selects.append(f"(SELECT COUNT(*) FROM ({sql}) AS t{number})")
        params.extend(values)
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(selects), params)
        return list(cursor.fetchone())


def glances(querysets: Iterable[QuerySet]) -> list[Glance]:
    return [
        Glance(pk, job_id, status, _moment(due), _moment(started), _moment(finished))
        for pk, job_id, status, due, started, finished in tuples(querysets, *Glance._fields)
    ]


def tuples(querysets: Iterable[QuerySet], *columns: str) -> list[tuple[Any, ...]]:
    """The columns of all rows, as the database's driver gives them: good for sorting."""
    every = [queryset.values_list(*columns) for queryset in querysets]
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(every), MOST):
        found.extend(_tuples(every[start : start + MOST]))
    return found


def _tuples(querysets: Sequence[QuerySet]) -> list[tuple[Any, ...]]:
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        try:
            sql, values = _compiled(queryset)
        except EmptyResultSet:
            continue
        selects.append(f"SELECT * FROM ({sql}) AS t{number}")
        params.extend(values)
    if not selects:
        return []
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), params)
        return list(cursor.fetchall())


def _compiled(queryset: QuerySet) -> tuple[str, Sequence[Any]]:
    return queryset.query.get_compiler(queryset.db).as_sql()


def _moment(value: Any) -> Any:
    """Text on SQLite, without a zone on MariaDB and MySQL."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None or value.tzinfo:
        return value
    return value.replace(tzinfo=UTC)
