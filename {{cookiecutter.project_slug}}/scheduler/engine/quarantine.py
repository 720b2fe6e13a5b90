"""Jobs whose definition cannot be loaded rest, shown with the reason, and are never deleted.

A rolling deploy brings a function later than the job that names it: they are tried again at each
leader start and once a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from .. import changes
from ..errors import DefinitionError
from ..models import Job
from ..models.change import Action
from ..models.job import JobState
from .connection import skips_locked
from .definition import load
from .due import Planned

logger = logging.getLogger("scheduler.quarantine")


def quarantine(job: Planned, reason: str, using: str) -> None:
    """Set the job aside. ``next_run_time`` stays: what it owes meanwhile is owed on release."""
    rows = Job._base_manager.using(using).filter(pk=job.id, uid=job.uid, state=JobState.ACTIVE)
    if rows.update(state=JobState.QUARANTINED, last_error=reason):
        after = {"state": JobState.QUARANTINED, "last_error": reason}
        changes.record(Action.QUARANTINED, job.id, job.uid, {"state": job.state}, after, using)


def release(using: str, executors: Collection[str]) -> int:
    """Let go of the quarantined jobs that can be loaded now. Call inside a transaction.

    One whose row a user's transaction holds is looked at the next time.

    Returns:
        How many were released.
    """
    released = 0
    jobs = Job._base_manager.using(using)
    resting = jobs.filter(state=JobState.QUARANTINED)
    for job in resting.select_for_update(skip_locked=skips_locked(using)):
        try:
            load(job, executors)
        except DefinitionError as error:
            if str(error) != job.last_error:
                jobs.filter(pk=job.pk).update(last_error=str(error))
            continue
        jobs.filter(pk=job.pk).update(state=JobState.ACTIVE, last_error="")
        released += 1
        before = {"state": JobState.QUARANTINED, "last_error": job.last_error}
        after = {"state": JobState.ACTIVE}
        changes.record(Action.RELEASED, job.id, job.uid, before, after, using)
        logger.info("Job %r can be loaded again: released from quarantine", job.id)
    return released
