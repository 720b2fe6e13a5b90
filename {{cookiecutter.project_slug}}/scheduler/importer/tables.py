"""django-apscheduler's two tables, read without that package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.utils.dateparse import parse_datetime

JOBS = "django_apscheduler_djangojob"
EXECUTIONS = "django_apscheduler_djangojobexecution"
ROWS_PER_QUERY = 1000


@dataclass(frozen=True)
class OldJob:
    """A row of ``django_apscheduler_djangojob``."""

    id: str
    next_run_time: datetime | None
    state: bytes


@dataclass(frozen=True)
class OldExecution:
    """A row of ``django_apscheduler_djangojobexecution``."""

    id: int
    job_id: str
    status: str
    run_time: datetime
    finished: datetime | None
    exception: str
    traceback: str


class TablesMissing(LookupError):
    """There is nothing to import."""


def check(using: str) -> None:
    """Check that both tables are there.

    Raises:
        TablesMissing: which one is not.
    """
    there = connections[using].introspection.table_names()
    if missing := {JOBS, EXECUTIONS} - set(there):
        raise TablesMissing(
            f"The database {using!r} has no table {', '.join(sorted(missing))}: was "
            "django-apscheduler ever migrated there? Another alias: --database"
        )


def jobs(using: str) -> list[OldJob]:
    """Read all jobs."""
    rows = _select(using, f"SELECT id, next_run_time, job_state FROM {JOBS} ORDER BY id")  # noqa: S608
    return [OldJob(id, _time(using, at), bytes(state or b"")) for id, at, state in rows]


def executions(using: str, refused: dict[str, str]) -> Iterator[list[OldExecution]]:
    """Read executions in batches, oldest first; the reason for one that no row can hold by its id.

    Args:
        refused: where such reasons are written.
    """
    last = 0
    while True:
        rows = _select(
            using,
            "SELECT id, job_id, status, run_time, finished, exception, traceback "  # noqa: S608
            f"FROM {EXECUTIONS} WHERE id > %s ORDER BY id LIMIT {ROWS_PER_QUERY}",
            [last],
        )
        if not rows:
            return
        last = rows[-1][0]
        batch = []
        for row in rows:
            try:
                batch.append(_execution(using, *row))
            except Exception as error:  # the data may be anything
                refused[str(row[0])] = f"{type(error).__name__}: {error}"
        yield batch


def _execution(using: str, id: int, job_id: str, status: str, at: Any, finished: Any,
               exception: str | None, traceback: str | None) -> OldExecution:  # fmt: skip
    job_id.encode()  # raises for lone surrogates, which no row can hold
    return OldExecution(
        id, job_id, status, _aware(using, at), _epoch(finished), exception or "", traceback or ""
    )


def _select(using: str, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _time(using: str, value: Any) -> datetime | None:
    return None if value is None else _aware(using, value)


def _aware(using: str, value: Any) -> datetime:
    """Make a time aware as the driver returns it: text on SQLite, naive on MySQL."""
    at: Any = parse_datetime(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=connections[using].timezone or UTC)


def _epoch(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
