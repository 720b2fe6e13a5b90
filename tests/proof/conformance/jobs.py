"""Rows that the tests start from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler import scheduler, triggers
from scheduler.models import Execution, Job

from . import bodies


def add(func: Callable[..., Any] = bodies.note, id: str = "job", **options: Any) -> Job:
    """A job that is due now, once."""
    options.setdefault("trigger", "date")
    scheduler.add_job(func, id=id, **options)
    return Job.objects.get(id=id)


def every_second(since: datetime, id: str = "job", func: Callable[..., Any] = bodies.note,
                 **columns: Any) -> Job:  # fmt: skip
    """A job whose slots are ``since``, and each second after it."""
    scheduler.add_job(func, "interval", seconds=1, id=id, start_date=since, timezone="UTC")
    trigger = triggers.dumps(triggers.build("interval", seconds=1, start_date=since, timezone=UTC))
    Job.objects.filter(id=id).update(
        trigger=trigger, planned_trigger=trigger, next_run_time=since, **columns
    )
    return Job.objects.get(id=id)


def runs(**wanted: Any) -> list[Execution]:
    return list(Execution.objects.filter(**wanted).order_by("scheduled_run_time", "attempt", "id"))


def second(at: datetime, number: float) -> datetime:
    return at + timedelta(seconds=number)
