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
BATCH = 1000


@dataclass(frozen=True)
class OldJob:
    id: str
    next_run_time: datetime | None
    state: bytes


@dataclass(frozen=True)
class OldExecution:
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
    """Raises TablesMissing unless both tables are there."""
    there = connections[using].introspection.table_names()
    if missing := {JOBS, EXECUTIONS} - set(there):
        raise TablesMissing(
            f"The database {using!r} has no table {', '.join(sorted(missing))}: was "
            "django-apscheduler ever migrated there? Another alias: --database"
        )


def jobs(using: str) -> list[OldJob]:
    rows = _select(using, f"SELECT id, next_run_time, job_state FROM {JOBS} ORDER BY id")
    return [OldJob(id, _time(using, at), bytes(state or b"")) for id, at, state in rows]


def executions(using: str) -> Iterator[list[OldExecution]]:
    """In batches, oldest first."""
    last = 0
    while True:
        rows = _select(
            using,
            "SELECT id, job_id, status, run_time, finished, exception, traceback "
            f"FROM {EXECUTIONS} WHERE id > %s ORDER BY id LIMIT {BATCH}",
            [last],
        )
        if not rows:
            return
        last = rows[-1][0]
        yield [
            OldExecution(
                id, job_id, status, _aware(using, at), _epoch(finished), error or "", trace or ""
            )
            for id, job_id, status, at, finished, error, trace in rows
        ]


def _select(using: str, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _time(using: str, value: Any) -> datetime | None:
    return None if value is None else _aware(using, value)


def _aware(using: str, value: Any) -> datetime:
    """What the driver gives for a column that Django wrote: text on SQLite, naive on MySQL."""
    at: Any = parse_datetime(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=connections[using].timezone or UTC)


def _epoch(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
