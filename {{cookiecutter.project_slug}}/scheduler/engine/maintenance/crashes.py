"""Find the job whose function ends its scheduler process, and quarantine it.

``os._exit``, a segmentation fault or the out-of-memory killer take everything along that runs in
the process, so each neighbour is lost as well, at each start. A job whose last runs were lost so is
a suspect, and only one suspect runs at a time: the one that runs at the next crash is the cause.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from django.db.models import Count

from ...db.clock import DbNow
from ...definitions import changes
from ...models import Execution, Job
from ...models.execution import FINAL, Status
from ...models.job import JobState

logger = logging.getLogger("scheduler.crashes")

SUSPECT_AFTER = 2
"""Runs of a job in a row that were lost with their scheduler."""
QUARANTINE_AFTER = 3
"""As many, the last of them as the only suspect that ran."""
COUNTED_WITHIN = timedelta(days=1)
"""Age at which a crash is forgotten by a new leader."""
REASON = "its runs ended their scheduler process"


def is_crash_loop(last_error: str) -> bool:
    """Return whether a job was quarantined here; loading it again proves nothing then."""
    return last_error.startswith(REASON)


class Crashes:
    """Finds suspects, for the leader. Call inside the fenced transaction."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._looked = False
        self.suspects: frozenset[UUID] = frozenset()
        """Jobs, by uid, of which only one may run at a time."""

    def judge(self, lost: list[Execution], now: datetime) -> list[str]:
        """Quarantine the cause of a crash, and find the suspects for the next one.

        Args:
            lost: the runs that were just found lost.
            now: the cluster's time.

        Returns:
            The ids of the jobs that were quarantined.
        """
        crashed = [row for row in lost if _is_crash(row)]
        if not (crashed or self.suspects or not self._looked):
            return []
        known = self.suspects if self._looked else self._recent(now)
        self._looked = True
        counts = self._counts({row.job_uid for row in crashed} | known)
        causes = {row.job_uid for row in crashed if counts[row.job_uid] >= QUARANTINE_AFTER}
        quarantined = self._quarantine(causes, counts) if len(causes) == 1 else []
        self.suspects = frozenset(
            uid
            for uid, count in counts.items()
            if count >= SUSPECT_AFTER and not (quarantined and uid in causes)
        )
        return quarantined

    def _recent(self, now: datetime) -> frozenset[UUID]:
        lost = Execution._base_manager.using(self._using).filter(
            status=Status.LOST, finished_at__gte=now - COUNTED_WITHIN
        )
        rows = lost.only("job_uid", "status", "reason")
        return frozenset(row.job_uid for row in rows if _is_crash(row))

    def _counts(self, uids: Iterable[UUID]) -> dict[UUID, int]:
        """Return how many of the last runs of each job were lost with their scheduler, in a row.

        0 for those too few of whose runs were lost at all: a task or a one-shot has a uid of its
        own, and a statement for each would cost a new leader the lease that it holds meanwhile.
        """
        ended = Execution._base_manager.using(self._using).filter(
            status__in=FINAL, started_at__isnull=False
        )
        counts = dict.fromkeys(uids, 0)
        lost = ended.filter(status=Status.LOST, job_uid__in=list(counts)).order_by()
        often = lost.values("job_uid").annotate(runs=Count("id")).filter(runs__gte=SUSPECT_AFTER)
        for uid in often.values_list("job_uid", flat=True):
            rows = ended.filter(job_uid=uid).order_by("-id").only("status", "reason")
            counts[uid] = len(list(takewhile(_is_crash, rows[:QUARANTINE_AFTER])))
        return counts

    def _quarantine(self, uids: set[UUID], counts: dict[UUID, int]) -> list[str]:
        jobs = Job._base_manager.using(self._using).filter(uid__in=uids, state=JobState.ACTIVE)
        quarantined = []
        for job in jobs:
            reason = (
                f"{REASON} {counts[job.uid]} times in a row; mend the function, or move it to "
                "executor='processes', then resume the job"
            )
            changes.quarantine(job, reason, self._using)
            queued = Execution._base_manager.using(self._using).filter(
                job_uid=job.uid, status=Status.QUEUED
            )
            queued.update(
                status=Status.CANCELLED, reason="its job was quarantined", finished_at=DbNow()
            )
            logger.error("Job %r is quarantined: %s", job.id, reason)
            quarantined.append(job.id)
        return quarantined


def _is_crash(row: Execution) -> bool:
    """Return whether the run was lost because its scheduler died, not because it was stopped."""
    return (
        row.status == Status.LOST
        and row.reason.startswith("its scheduler ")
        and "stopped" not in row.reason
    )
