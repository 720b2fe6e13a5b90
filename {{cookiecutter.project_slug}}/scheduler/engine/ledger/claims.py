"""Claim what is due: write every slot to the queue, or with the reason why it does not run.

Runs inside the leader's transaction, behind ``LeaseHolder.hold``. The claim and the advance of
``next_run_time`` are one transaction: a crash leaves both or neither.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from apscheduler.triggers.base import BaseTrigger
from django.db import transaction
from django.db.models import Count, F, Max, QuerySet

from ...conf import conf
from ...db.bulk import update_each_later
from ...db.clock import monotonic
from ...db.connection import skips_locked
from ...db.errors import is_outage
from ...db.prepared import Param, PreparedQuery
from ...definitions import changes, states
from ...definitions.due import DUE_COLUMNS, Due, Planned
from ...definitions.loading import load
from ...definitions.states import Event
from ...errors import DefinitionError
from ...models import Execution, Job
from ...models.job import JobQuerySet, JobState
from ..leadership.lease import LeaseHolder
from .budget import PlanningTooSlow, each_within, within
from .capacity import Capacity
from .instances import Instances
from .planner import Plan, TriggerStuck, fire_times, plan
from .slots import ClaimResult, Slots

logger = logging.getLogger("scheduler.claims")

MAX_JOBS_PER_TURN = 500
"""Most jobs planned in one turn ..."""
MAX_PLANNING_SECONDS = 0.5
"""... and about so many seconds of it: both bound for how long the lease's row is locked. After a
long downtime, a job's missed slots take longer to count than its run takes to write."""


P = TypeVar("P", Job, Due)


class Claims:
    """Claims due jobs inside the leader's fenced transaction."""

    def __init__(self, lease: LeaseHolder) -> None:
        self.lease = lease
        self.using = lease.using
        self.slots = Slots(lease)
        self.in_doubt: Mapping[UUID, int] = {}
        """Running executions of each job, by uid, whose process may be dead: see ``Reconciler``."""
        now = Param("now", Job._meta.get_field("next_run_time"))
        self._due_rows = PreparedQuery(self.using, lambda: self._due(now).values_list(*DUE_COLUMNS))
        self._open_rows = PreparedQuery(self.using, self._open)

    def all(
        self, now: datetime, executors: Collection[str], capacity: Capacity | None = None
    ) -> ClaimResult:
        """Claim all due jobs, with one statement of each kind.

        Args:
            now: the cluster's time.
            executors: aliases of the executors of this process.
            capacity: where runs may start at once; None: all go to the end of the queue.
        """
        claimed, open_rows = ClaimResult(), list[tuple[Any, ...]]()
        self._open_rows.later(open_rows.extend)
        jobs = self._due_now(now)
        instances = Instances(open_rows, self.in_doubt)
        due = [job for job in jobs if not instances.is_undecided(job)]
        if not due:
            return claimed
        planned = list(self._plan_each(due, now, instances, executors))
        claimed.due = len(planned)
        owing = [(job, owed) for job, owed in planned if owed is not None]
        self.slots.write(owing, now, capacity, claimed)
        self._advance([(job, owed.next_run_time) for job, owed in owing])
        return claimed

    def one_by_one(
        self, now: datetime, executors: Collection[str], capacity: Capacity | None = None
    ) -> ClaimResult:
        """Claim each due job in its own savepoint, after an error; quarantine the one that fails.

        Takes and returns what ``all`` does.
        """
        claimed = ClaimResult()
        instances = Instances(self._open_rows.rows(), self.in_doubt)
        until = monotonic() + MAX_PLANNING_SECONDS
        for job in self._due(now):
            if instances.is_undecided(job):
                continue
            claimed.due += 1
            try:
                with transaction.atomic(using=self.using):
                    self._pass_over(job, executors)
                    for _, owed in self._plan_each([job], now, instances, executors):
                        if owed is not None:
                            self.slots.write_missing(job, owed, now, claimed)
                            self._advance([(job, owed.next_run_time)])
            except Exception as error:
                if is_outage(error):
                    raise
                logger.exception("Job %r cannot be claimed: quarantined", job.id)
                changes.quarantine(job, f"{type(error).__name__}: {error}", self.using)
            if monotonic() >= until:
                break
        return claimed

    def _due_now(self, now: datetime) -> list[Due]:
        """Lock and return what is due. Where many jobs wait for a judgement, the next ones too."""
        rows = self._due_rows.rows(now=now)
        if self.in_doubt and len(rows) == MAX_JOBS_PER_TURN:
            others = self._locked(now).exclude(uid__in=list(self.in_doubt))[:MAX_JOBS_PER_TURN]
            rows = list(dict.fromkeys([*rows, *others.values_list(*DUE_COLUMNS)]))
        return [Due(**dict(zip(DUE_COLUMNS, row, strict=True))) for row in rows]

    def _due(self, now: Any) -> JobQuerySet:
        return self._locked(now)[:MAX_JOBS_PER_TURN]

    def _locked(self, now: Any) -> JobQuerySet:
        """Return the jobs whose time has come, locked.

        A row that a user's transaction holds is left for later, and so is, until it is planned, a
        trigger that was changed by something that computed no next run time.
        """
        rows = JobQuerySet(Job, using=self.using).due(now).filter(trigger=F("planned_trigger"))
        rows = rows.order_by("next_run_time", "id")
        return rows.select_for_update(skip_locked=skips_locked(self.using))

    def _open(self) -> QuerySet[Execution, Any]:
        """Count the runs of each job that have not ended, by status; those of tasks have no job."""
        rows = Execution.objects.using(self.using).open().filter(task_backend="")
        return rows.order_by().values_list("job_uid", "status").annotate(Count("id"))

    def _plan_each(
        self,
        jobs: Sequence[P],
        now: datetime,
        instances: Instances,
        executors: Collection[str],
    ) -> Iterator[tuple[P, Plan | None]]:
        """Plan the jobs for which there is time, at least one. None: the job is quarantined."""
        tasks = []
        for job in jobs:
            try:
                tasks.append((job, load(job, executors)))
            except DefinitionError as error:
                self._quarantine(job, error)
                yield job, None

        def compute(task: tuple[P, BaseTrigger]) -> Plan:
            job, trigger = task
            if job.next_run_time is None:
                return Plan((), (), None)  # all its slots are in the ledger
            return plan(
                trigger,
                job.next_run_time,
                now,
                coalesce=job.coalesce,
                misfire_grace_time=job.misfire_grace_time,
                refusal=instances.refusal(job),
                catch_up_limit=conf().CATCH_UP_LIMIT,
            )

        for (job, _), answer in each_within(compute, tasks, MAX_PLANNING_SECONDS):
            if isinstance(answer, TriggerStuck | PlanningTooSlow):
                self._quarantine(job, answer)
                yield job, None
            elif isinstance(answer, Exception):
                raise answer
            else:
                yield job, answer

    def _quarantine(self, job: Planned, error: Exception) -> None:
        logger.error("Job %r is quarantined: %s", job.id, error)
        changes.quarantine(job, str(error), self.using)

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
            trigger = load(job, executors)
            job.next_run_time = within(lambda: fire_times(trigger, last, last, keep=1).next)
        except (DefinitionError, TriggerStuck, PlanningTooSlow):
            return  # the plan will say so

    def _advance(self, jobs: Sequence[tuple[Planned, datetime | None]]) -> None:
        """Move the jobs on; a job without a further time goes, its history stays."""
        moved = [(job.id, following) for job, following in jobs if following is not None]
        update_each_later(self.using, Job, ["next_run_time"], moved)
        if ended := [job for job, following in jobs if following is None]:
            rows = Job._base_manager.using(self.using)
            gone = [job.id for job in ended if not job.declared]
            rows.filter(id__in=gone)._raw_delete(self.using)
            kept = [job.id for job in ended if job.declared]
            finished = states.after(JobState.ACTIVE, Event.EXHAUSTED, declared=True)
            rows.filter(id__in=kept).update(**finished)
