"""Jobs whose definition cannot be loaded rest, shown with the reason, and are never deleted.

A rolling deploy brings a function later than the job that names it: they are tried again at each
leader start and once a minute, a page at a time.
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

PAGE = 100
"""Most jobs that are tried in one turn: it bounds how long the lease's row is locked."""


def quarantine(job: Planned, reason: str, using: str) -> None:
    """Set the job aside. ``next_run_time`` stays: what it owes meanwhile is owed on release."""
    rows = Job._base_manager.using(using).filter(pk=job.id, uid=job.uid, state=JobState.ACTIVE)
    if rows.update(state=JobState.QUARANTINED, last_error=reason):
        after = {"state": JobState.QUARANTINED, "last_error": reason}
        changes.record(Action.QUARANTINED, job.id, job.uid, {"state": job.state}, after, using)


class Quarantine:
    """The leader's part: it tries the jobs at rest again. Call inside the fenced transaction."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._tried = ""
        """Up to this job; empty: all of them were."""

    def release(self, executors: Collection[str]) -> bool:
        """Let go of those on the next page that can be loaded now.

        One whose row a user's transaction holds is looked at the next time.

        Returns:
            Whether there may be another page.
        """
        jobs = Job._base_manager.using(self._using)
        resting = jobs.filter(state=JobState.QUARANTINED, id__gt=self._tried).order_by("id")
        page = list(resting.select_for_update(skip_locked=skips_locked(self._using))[:PAGE])
        for job in page:
            self._try(job, executors)
        self._tried = page[-1].id if len(page) == PAGE else ""
        return bool(self._tried)

    def _try(self, job: Job, executors: Collection[str]) -> None:
        rows = Job._base_manager.using(self._using).filter(pk=job.pk)
        try:
            load(job, executors)
        except DefinitionError as error:
            if str(error) != job.last_error:
                rows.update(last_error=str(error))
            return
        rows.update(state=JobState.ACTIVE, last_error="")
        before = {"state": JobState.QUARANTINED, "last_error": job.last_error}
        after = {"state": JobState.ACTIVE}
        changes.record(Action.RELEASED, job.id, job.uid, before, after, self._using)
        logger.info("Job %r can be loaded again: released from quarantine", job.id)
