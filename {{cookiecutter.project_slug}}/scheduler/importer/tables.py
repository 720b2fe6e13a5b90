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


def jobs(using: str, refused: dict[str, str]) -> list[OldJob]:
    """Read all jobs; the reason for one that cannot be read by its id.

    Args:
        refused: where such reasons are written.
    """
    _, rows = _read(using, "id, next_run_time, job_state", f"{JOBS} ORDER BY id", [], refused)
    found = []
    for id, at, state in rows:
        try:
            found.append(OldJob(id, _time(using, at), bytes(state or b"")))
        except Exception as error:  # the data may be anything
            refused[str(id)] = _reason(error)
    return found


def executions(using: str, refused: dict[str, str]) -> Iterator[list[OldExecution]]:
    """Read executions in batches, oldest first; the reason for one that no row can hold by its id.

    Args:
        refused: where such reasons are written.
    """
    last = 0
    while True:
        ids, rows = _read(
            using,
            "id, job_id, status, run_time, finished, exception, traceback",
            f"{EXECUTIONS} WHERE id > %s ORDER BY id LIMIT {ROWS_PER_QUERY}",
            [last],
            refused,
        )
        if not ids:
            return
        last = ids[-1]
        batch = []
        for row in rows:
            try:
                batch.append(_execution(using, *row))
            except Exception as error:  # the data may be anything
                refused[str(row[0])] = _reason(error)
        yield batch


def _execution(using: str, id: int, job_id: str, status: str, at: Any, finished: Any,
               exception: str | None, traceback: str | None) -> OldExecution:  # fmt: skip
    str(job_id).encode()  # raises for lone surrogates, which no row can hold
    return OldExecution(
        id, job_id, status, _aware(using, at), _epoch(finished), exception or "", traceback or ""
    )


def _read(
    using: str, columns: str, rest: str, params: list[Any], refused: dict[str, str]
) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Return ids and rows. A value that the driver cannot read costs its row and no other.

    Such is a date that Python has not: infinity, or a month 0.
    """
    try:
        rows = _select(using, f"SELECT {columns} FROM {rest}", params)  # noqa: S608
        return [row[0] for row in rows], rows
    except Exception:  # drivers differ in what they raise
        ids = [id for (id,) in _select(using, f"SELECT id FROM {rest}", params)]  # noqa: S608
    rows = []
    for id in ids:
        one = f"SELECT {columns} FROM {rest.split()[0]} WHERE id = %s"  # noqa: S608
        try:
            rows += _select(using, one, [id])
        except Exception as error:
            refused[str(id)] = _reason(error)
    return ids, rows


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _select(using: str, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _time(using: str, value: Any) -> datetime | None:
    return None if value is None else _aware(using, value)


def _aware(using: str, value: Any) -> datetime:
    """Make a time aware as the driver returns it: text on SQLite, naive on MySQL."""
    at: Any = parse_datetime(value) if isinstance(value, str) else value
    if at is None:
        raise ValueError("it has no time that can be read")
    return at if at.tzinfo else at.replace(tzinfo=connections[using].timezone or UTC)


def _epoch(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
