"""The statements that change a job's row. Each leaves a record, and runs inside ``atomic()``."""

from __future__ import annotations

from typing import Any

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from django.db import IntegrityError, transaction

from . import changes
from .models import Execution, Job
from .models.change import Action
from .models.execution import Status
from .models.job import JobState
from .models.policies import POLICY_FIELDS

RECORDED = (
    "name",
    "trigger",
    "next_run_time",
    "state",
    "coalesce",
    "misfire_grace_time",
    *POLICY_FIELDS,
)


def locked(job_id: str, using: str) -> Job:
    """The row, locked until the transaction ends.

    Raises:
        JobLookupError: no such job.
    """
    row = Job.objects.using(using).select_for_update().filter(pk=job_id).first()
    if row is None:
        raise JobLookupError(job_id)
    return row


def insert(row: Job, using: str) -> Job:
    """Add a new row; the surrounding transaction stays usable when the id is taken.

    Raises:
        ConflictingIdError: there is a job with that id.
    """
    row.planned_trigger = row.trigger
    try:
        with transaction.atomic(using):
            row.save(using=using, force_insert=True)
            changes.record(Action.ADDED, row.id, row.uid, {}, recorded(row), using)
    except IntegrityError:
        raise ConflictingIdError(row.id) from None
    return row


def change(row: Job, using: str, action: str | None = None, **columns: Any) -> Job:
    """Write the given columns of a locked row, those that differ, and nothing else."""
    differing = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if not differing:
        return row
    beside = {"next_run_time"} if "trigger" in differing else set()
    before = {name: getattr(row, name) for name in differing.keys() | beside}
    for name, value in differing.items():
        setattr(row, name, value)
    row.save(using=using, update_fields=[*differing, "updated_at"])
    if any(name in RECORDED for name in differing):
        after = {name: getattr(row, name) for name in before}
        changes.record(action or _action(before, row), row.id, row.uid, before, after, using)
    return row


def delete(row: Job, using: str) -> None:
    """Delete a locked row; what was queued of it and not yet started will not start."""
    _delete([row], using)


def delete_all(using: str) -> None:
    """Delete every row, as ``delete`` does."""
    _delete(list(Job.objects.using(using).select_for_update()), using)


def recorded(row: Job) -> dict[str, Any]:
    """The definition as changes record it."""
    return {name: getattr(row, name) for name in RECORDED}


def _delete(rows: list[Job], using: str) -> None:
    from .engine.clock import DbNow

    Execution.objects.using(using).filter(
        job_uid__in=[row.uid for row in rows], status=Status.QUEUED
    ).update(status=Status.CANCELLED, reason="its job was removed", finished_at=DbNow())
    for row in rows:
        changes.record(Action.REMOVED, row.id, row.uid, recorded(row), {}, using)
    Job.objects.using(using).filter(pk__in=[row.pk for row in rows]).delete()


def _action(before: dict[str, Any], row: Job) -> str:
    was = before.get("state", row.state)
    if was == row.state:
        return Action.CHANGED
    if row.state == JobState.ACTIVE:
        return Action.RELEASED if was == JobState.QUARANTINED else Action.RESUMED
    return {
        JobState.PAUSED: Action.PAUSED,
        JobState.RETIRED: Action.RETIRED,
        JobState.QUARANTINED: Action.QUARANTINED,
    }.get(JobState(row.state), Action.CHANGED)
