"""Time zone rules that changed: planned runs move to where their triggers now say, once.

The lease's row keeps the fingerprint of the rules by which jobs are planned. A leader with other
rules, after an update of tzdata, looks through the jobs that depend on a zone, a page at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from ... import triggers
from ...db.clock import monotonic
from ...db.connection import skips_locked
from ...definitions import changes
from ...models import Execution, Job, Lease
from ...models.change import Action
from ...models.execution import Kind
from ...models.job import JobState
from ..ledger.budget import each_within, within

logger = logging.getLogger("scheduler.zonerules")

PAGE = 500
BUDGET = 0.3
"""Seconds of one step: the lease's row is locked meanwhile."""
OF_A_ZONE = ('"type":"cron"', '"type":"calendarinterval"')

COLUMNS = ("id", "trigger", "next_run_time", "uid", "created_at")


class Planned(NamedTuple):
    """The ``COLUMNS`` of a job."""

    id: str
    trigger: str
    at: datetime
    uid: UUID
    created_at: datetime


class ZoneRules:
    """The leader's part. Call inside the fenced transaction."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._is_done = False
        self._seen = ""
        """Up to this job; empty: none of them yet."""
        self._is_held = False
        """Whether another transaction held the row of a job that has to move."""
        self._moved = 0

    def step(self, now: datetime) -> None:
        """Compare the rules at the start of a term; where they differ, look at the next jobs."""
        if self._is_done:
            return
        lease = Lease._base_manager.using(self._using).filter(pk=1)
        rules = triggers.fingerprint(now.year)
        if not self._seen and lease.filter(zone_rules=rules).exists():
            self._is_done = True
            return
        until = monotonic() + BUDGET
        while page := self._page():
            self._look_at(page, until)
            if monotonic() >= until:
                return
        if self._is_held:  # a user's transaction: once more from the first job
            self._seen, self._is_held = "", False
            return
        lease.update(zone_rules=rules)
        self._is_done = True
        if self._moved:
            logger.warning(
                "The rules of time zones have changed since the jobs were planned: %d planned "
                "run(s) moved to where their triggers are due now",
                self._moved,
            )

    def _page(self) -> list[Planned]:
        rows = Job._base_manager.using(self._using).filter(id__gt=self._seen)
        rows = rows.filter(
            state__in=(JobState.ACTIVE, JobState.QUARANTINED), next_run_time__isnull=False
        )
        return [Planned(*row) for row in rows.order_by("id").values_list(*COLUMNS)[:PAGE]]

    def _look_at(self, page: Sequence[Planned], until: float) -> None:
        """Go on from the last one for which there was time; at least one is looked at."""
        wrong = []
        for job, is_right in each_within(_is_right, page, until - monotonic()):
            self._seen = job.id
            if is_right is False:  # an error is the plan's to report, when the job is due
                wrong.append(job)
        if not wrong:
            return
        runs = Execution._base_manager.using(self._using).filter(
            job_uid__in=[job.uid for job in wrong], kind=Kind.SCHEDULE
        )
        slots = runs.order_by().values_list("job_uid").annotate(Max("scheduled_run_time"))
        last: dict[UUID, datetime] = dict(slots)
        for job in wrong:
            before = min(max(job.created_at, last.get(job.uid) or job.created_at), job.at)
            at = within(partial(triggers.replanned, triggers.loads(job.trigger), job.at, before))
            if at is not None:
                self._write(job, at)

    def _write(self, job: Planned, at: datetime) -> None:
        """Move one job, unless it was changed since it was read."""
        rows = Job._base_manager.using(self._using).filter(pk=job.id, uid=job.uid)
        locked = rows.select_for_update(skip_locked=skips_locked(self._using)).first()
        if locked is None:
            self._is_held = rows.exists() or self._is_held
            return
        if (locked.trigger, locked.next_run_time) != (job.trigger, job.at):
            return
        rows.update(next_run_time=at)
        before, after = {"next_run_time": job.at}, {"next_run_time": at}
        with changes.changed_by("time zone rules"):
            changes.record(Action.MOVED, job.id, job.uid, before, after, self._using)
        self._moved += 1
        logger.info("Job %r: its run at %s moved to %s", job.id, job.at, at)


def _is_right(job: Planned) -> bool:
    """Return whether the trigger names the planned time. Most kinds depend on no zone."""
    if not any(kind in job.trigger for kind in OF_A_ZONE):
        return True
    return triggers.names(triggers.loads(job.trigger), job.at)
