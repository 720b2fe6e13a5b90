"""Rows as a scheduler leaves them, and the database's clock in the test's hands."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@contextmanager
def database_clock(at: datetime = NOON) -> Iterator[None]:
    from scheduler.db.clock import DbNow

    DbNow.frozen = at
    try:
        yield
    finally:
        DbNow.frozen = None


def leader(at: datetime = NOON, **changes: Any) -> Any:
    """A node that leads term 7 and sent its last heartbeat at ``at``."""
    from scheduler.models import Lease

    row = node(at, role="leader", **changes)
    Lease(pk=1, holder=row.pk, term=7, renewed_at=at, expires_at=at + timedelta(seconds=6)).save()
    return row


def node(at: datetime = NOON, **changes: Any) -> Any:
    from scheduler.models import Node

    values = {"host": "db1", "pid": 4711, "started_at": at, "beat_at": at, "ttl": 6.0}
    row = Node(**{**values, **changes})
    row.save(force_insert=True)
    return row


def job(id: str = "home.sync", **changes: Any) -> Any:
    from scheduler.models import Job

    trigger = '{"seconds":60,"start_date":"2026-01-01T00:00:00Z","type":"interval"}'
    values = {"func": "tests.bodies:noop", "trigger": trigger, "planned_trigger": trigger}
    row = Job(**{"id": id, "name": id, **values, **changes})
    row.save(force_insert=True)
    return row


def execution(job_id: str = "home.sync", status: str = "succeeded", **changes: Any) -> Any:
    from scheduler.models import Execution

    due = changes.pop("due_at", NOON)
    ended = status not in ("queued", "running")
    values = {
        "job_uid": uuid.uuid4(),
        "func": "tests.bodies:noop",
        "scheduled_run_time": due,
        "due_at": due,
        "queued_at": due,
        "started_at": due + timedelta(seconds=1) if status != "queued" else None,
        "finished_at": due + timedelta(seconds=3) if ended else None,
        "term": 7 if status != "queued" else None,
    }
    row = Execution(**{"job_id": job_id, "status": status, **values, **changes})
    row.save(force_insert=True)
    return row
