"""Claim what is due: write every slot to the queue, or with the reason why it does not run.

Runs inside the leader's transaction, behind ``Lease.hold``. The claim and the advance of
``next_run_time`` are one transaction: a crash leaves both or neither.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Max, QuerySet

from ..conf import conf
from ..errors import DefinitionError
from ..models import Execution, Job
from ..models.execution import OPEN
from ..models.job import JobQuerySet, JobState
from .batch import update_each
from .clock import monotonic
from .connection import skips_locked
from .definition import load
from .due import Due, Planned
from .lease import Lease
from .outage import is_outage
from .planner import Plan, TriggerStuck, fire_times, plan
from .quarantine import quarantine
from .room import Room
from .slots import Claimed, Slots
from .statement import Blank, Statement

logger = logging.getLogger("scheduler.claims")

DUE_LIMIT = 500
"""Most jobs planned in one turn ..."""
PLANNING = 0.5
"""... and about so many seconds of it: both bound for how long the lease's row is locked. After a
long downtime, a job's missed slots take longer to count than its run takes to write."""


J = TypeVar("J")


class Claims:
    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using
        self.slots = Slots(lease)
        now = Blank("now", Job._meta.get_field("next_run_time"))
        self._due_rows = Statement(self.using, lambda: self._due(now).values_list(*Due._fields))
        self._open_rows = Statement(self.using, self._open)

    def all(self, now: datetime, executors: Collection[str], room: Room | None = None) -> Claimed:
        """All due jobs with one statement of each kind.

        Args:
            room: where runs may start at once; None: all go to the end of the queue.
        """
        due = [Due(*row) for row in self._due_rows.rows(now=now)]
        claimed = Claimed()
        if not due:
            return claimed
        open_runs = Counter(dict(self._open_rows.rows()))
        planned: list[tuple[Due, Plan | None]] = []
        for job in _in_time(due):
            planned.append((job, self._plan(job, now, open_runs, executors)))
        claimed.due = len(planned)
        owing = [(job, owed) for job, owed in planned if owed is not None]
        self.slots.write(owing, now, room, claimed)
        self._advance([(job, owed.next_run_time) for job, owed in owing])
        return claimed

    def one_by_one(
        self, now: datetime, executors: Collection[str], room: Room | None = None
    ) -> Claimed:
        """The same after an error: each job in its own savepoint, the culprit quarantined."""
        claimed = Claimed()
        open_runs = Counter(dict(self._open_rows.rows()))
        for job in _in_time(self._due(now)):
            claimed.due += 1
            try:
                with transaction.atomic(using=self.using):
                    self._pass_over(job, executors)
                    owed = self._plan(job, now, open_runs, executors)
                    if owed is not None:
                        self.slots.write_missing(job, owed, now, claimed)
                        self._advance([(job, owed.next_run_time)])
            except Exception as error:
                if is_outage(error):
                    raise
                logger.exception("Job %r cannot be claimed: quarantined", job.id)
                quarantine(job, f"{type(error).__name__}: {error}", self.using)
        return claimed

    def _due(self, now: Any) -> JobQuerySet:
        """Jobs whose time has come. A row that a user's transaction holds is left for later, and a
        trigger that was changed behind our back until it is planned."""
        rows = JobQuerySet(Job, using=self.using).due(now).filter(trigger=F("planned_trigger"))
        rows = rows.order_by("next_run_time", "id")
        return rows.select_for_update(skip_locked=skips_locked(self.using))[:DUE_LIMIT]

    def _open(self) -> QuerySet[Execution, Any]:
        """Runs of each job that have not ended."""
        rows = Execution._base_manager.using(self.using).filter(status__in=OPEN)
        return rows.order_by().values_list("job_uid").annotate(Count("id"))

    def _plan(
        self, job: Planned, now: datetime, open_runs: Counter[UUID], executors: Collection[str]
    ) -> Plan | None:
        """What the job owes. None: quarantined."""
        if job.next_run_time is None:
            return Plan((), (), None)
        try:
            return plan(
                load(job, executors),
                job.next_run_time,
                now,
                coalesce=job.coalesce,
                misfire_grace_time=job.misfire_grace_time,
                has_room=open_runs[job.uid] < job.max_instances,
                catch_up_limit=conf().CATCH_UP_LIMIT,
            )
        except (DefinitionError, TriggerStuck) as error:
            logger.error("Job %r is quarantined: %s", job.id, error)
            quarantine(job, str(error), self.using)
            return None

    def _pass_over(self, job: Job, executors: Collection[str]) -> None:
        """Begin after the slots that the ledger holds, where somebody set the job back to one.

        A stretch that began with such a slot would be passed over with all that follows it.
        """
        held = Execution._base_manager.using(self.using).filter(
            job_uid=job.uid, attempt=1, scheduled_run_time__gte=job.next_run_time
        )
        if not held.filter(scheduled_run_time=job.next_run_time).exists():
            return
        ends = held.aggregate(Max("scheduled_run_time"), Max("last_run_time"))
        last = max(end for end in ends.values() if end is not None)
        try:
            job.next_run_time = fire_times(load(job, executors), last, last, keep=1).next
        except (DefinitionError, TriggerStuck):
            return  # the plan will say so

    def _advance(self, jobs: Sequence[tuple[Planned, datetime | None]]) -> None:
        """Move the jobs on; a job without a further time goes, its history stays."""
        moved = [(job.id, following) for job, following in jobs if following is not None]
        update_each(self.using, Job, ["next_run_time"], moved)
        if ended := [job for job, following in jobs if following is None]:
            rows = Job._base_manager.using(self.using)
            gone = [job.id for job in ended if not job.declared]
            rows.filter(id__in=gone)._raw_delete(self.using)
            kept = [job.id for job in ended if job.declared]
            rows.filter(id__in=kept).update(state=JobState.FINISHED, next_run_time=None)


def _in_time(jobs: Iterable[J]) -> Iterator[J]:
    """At least one of them, and no more when the time is up: those are due at the next turn."""
    end = monotonic() + PLANNING
    for job in jobs:
        yield job
        if monotonic() >= end:
            return
