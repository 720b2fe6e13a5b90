"""Try the quarantined jobs again: those whose definition could not be loaded.

A rolling deploy may bring a function later than the job that names it. They are tried at the start
of each term and once a minute, a page at a time, and never deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from ...db.connection import skips_locked
from ...definitions import changes, states
from ...definitions.loading import load
from ...definitions.states import Event
from ...errors import DefinitionError
from ...models import Job
from ...models.change import Action
from ...models.job import JobState
from ..ledger.budget import TOO_SLOW
from .crashes import is_crash_loop

logger = logging.getLogger("scheduler.quarantine")

MAX_JOBS_PER_TURN = 100
"""Most jobs that are tried in one turn: it bounds how long the lease's row is locked."""


class Quarantine:
    """Tries quarantined jobs again, for the leader. Call inside the fenced transaction."""

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
        resting = resting.exclude(last_error__contains=TOO_SLOW)  # until somebody resumes it
        page = list(
            resting.select_for_update(skip_locked=skips_locked(self._using))[:MAX_JOBS_PER_TURN]
        )
        for job in page:
            self._try(job, executors)
        self._tried = page[-1].id if len(page) == MAX_JOBS_PER_TURN else ""
        return bool(self._tried)

    def _try(self, job: Job, executors: Collection[str]) -> None:
        if is_crash_loop(job.last_error):
            return  # until somebody resumes it
        rows = Job._base_manager.using(self._using).filter(pk=job.pk)
        try:
            load(job, executors)
        except DefinitionError as error:
            if str(error) != job.last_error:
                rows.update(last_error=str(error))
            return
        released = states.after(job.state, Event.RELEASED)
        rows.update(**released)
        before = {"state": JobState.QUARANTINED, "last_error": job.last_error}
        after = {"state": released["state"]}
        changes.record(Action.RELEASED, job.id, job.uid, before, after, self._using)
        logger.info("Job %r can be loaded again: released from quarantine", job.id)
