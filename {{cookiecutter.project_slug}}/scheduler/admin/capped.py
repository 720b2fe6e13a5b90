"""Ask about executions at a cost that does not grow with the table.

Each queryset must be ordered along an index and sliced; they are asked in one statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..formatting import number as written

# SQLite takes at most 500 SELECTs in one compound statement.
MAX_SELECTS = 500


MAX_COUNTED = 5_000
"""As far as pages count."""


@dataclass(frozen=True)
class Count:
    """A number of rows; ``more``: there are at least so many."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{written(MAX_COUNTED)}+" if self.more else written(self.number)


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
        """Return how long it ran; None unless it started and ended."""
        if self.started_at and self.finished_at:
            return self.finished_at - self.started_at
        return None


def counts(querysets: Sequence[QuerySet], cap: int) -> list[int]:
    """Count the rows of each queryset; ``cap`` means that many or more."""
    if not querysets:
        return []
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        sql, values = _compiled(queryset.order_by().values("pk")[:cap])
        selects.append(f"(SELECT COUNT(*) FROM ({sql}) AS t{number})")  # noqa: S608  (Django's)
        params.extend(values)
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(selects), params)
        return list(cursor.fetchone())


def shown_counts(querysets: Sequence[QuerySet]) -> list[Count]:
    """Return how many rows each queryset has, as far as pages count."""
    return [Count(number, number == MAX_COUNTED) for number in counts(querysets, MAX_COUNTED)]


def glances(querysets: Iterable[QuerySet]) -> list[Glance]:
    """Read the executions of all querysets by one statement."""
    return [
        Glance(pk, job_id, status, _moment(due), _moment(started), _moment(finished))
        for pk, job_id, status, due, started, finished in tuples(querysets, *Glance._fields)
    ]


def tuples(querysets: Iterable[QuerySet], *columns: str) -> list[tuple[Any, ...]]:
    """Return the columns of all rows as the database's driver gives them: good for sorting."""
    every = [queryset.values_list(*columns) for queryset in querysets]
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(every), MAX_SELECTS):
        found.extend(_tuples(every[start : start + MAX_SELECTS]))
    return found


def _tuples(querysets: Sequence[QuerySet]) -> list[tuple[Any, ...]]:
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        try:
            sql, values = _compiled(queryset)
        except EmptyResultSet:
            continue
        selects.append(f"SELECT * FROM ({sql}) AS t{number}")  # noqa: S608  (Django's)
        params.extend(values)
    if not selects:
        return []
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), params)
        return list(cursor.fetchall())


def _compiled(queryset: QuerySet) -> tuple[str, Sequence[Any]]:
    return queryset.query.get_compiler(queryset.db).as_sql()


def _moment(value: Any) -> Any:
    """Make a time aware as the driver gives it: text on SQLite, naive on MariaDB and MySQL."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None or value.tzinfo:
        return value
    return value.replace(tzinfo=UTC)
