"""Claim what is due: write every slot to the queue, or with the reason why it does not run.

Runs inside the leader's transaction, behind ``Lease.hold``. The claim and the advance of
``next_run_time`` are one transaction: a crash leaves both or neither.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connections, transaction
from django.db.models import Count

from ..conf import conf
from ..models import Execution, Job
from ..models.execution import OPEN
from ..models.job import JobQuerySet, JobState
from ..models.policies import POLICY_FIELDS
from .batch import update_each
from .definition import load
from .lease import Lease
from .outage import is_outage
from .planner import plan
from .quarantine import quarantine

logger = logging.getLogger("scheduler.claims")

DUE_LIMIT = 500
"""Most jobs planned in one turn: it bounds how long the lease's row is locked."""


@dataclass
class Claimed:
    """What one turn wrote: for events after the commit, and to know whether more is due."""

    due: int = 0
    executions: list[Execution] = field(default_factory=list)


class Claims:
    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using

    def all(self, now: datetime, executors: Collection[str]) -> Claimed:
        """All due jobs with one statement of each kind."""
        due = self._due(now)
        if not due:
            return Claimed()
        open_runs = self._open_runs()
        planned = [(job, self._plan(job, now, open_runs, executors)) for job in due]
        claimed = Claimed(len(due), [row for _, rows in planned if rows for row in rows])
        if claimed.executions:
            Execution._base_manager.using(self.using).bulk_create(claimed.executions)
        self._advance([job for job, rows in planned if rows is not None])
        return claimed

    def one_by_one(self, now: datetime, executors: Collection[str]) -> Claimed:
        """The same after an error: each job in its own savepoint, the culprit quarantined."""
        claimed = Claimed()
        open_runs = self._open_runs()
        for job in self._due(now):
            claimed.due += 1
            try:
                with transaction.atomic(using=self.using):
                    rows = self._plan(job, now, open_runs, executors)
                    if rows is not None:
                        claimed.executions += self._insert_missing(rows)
                        self._advance([job])
            except Exception as error:
                if is_outage(error):
                    raise
                logger.exception("Job %r cannot be claimed: quarantined", job.id)
                quarantine(job, f"{type(error).__name__}: {error}", self.using)
        return claimed

    def _due(self, now: datetime) -> list[Job]:
        """Jobs whose time has come. A row that a user's transaction holds is left for later."""
        skips = connections[self.using].features.has_select_for_update_skip_locked
        rows = JobQuerySet(Job, using=self.using).due(now).order_by("next_run_time", "id")
        return list(rows.select_for_update(skip_locked=bool(skips))[:DUE_LIMIT])

    def _open_runs(self) -> Counter[UUID]:
        rows = Execution._base_manager.using(self.using).filter(status__in=OPEN)
        counts = rows.order_by().values_list("job_uid").annotate(Count("id"))
        return Counter(dict(counts))

    def _plan(
        self, job: Job, now: datetime, open_runs: Counter[UUID], executors: Collection[str]
    ) -> list[Execution] | None:
        """The rows that the job owes, its ``next_run_time`` moved on. None: quarantined."""
        assert job.next_run_time is not None
        try:
            trigger = load(job, executors)
            owed = plan(
                trigger,
                job.next_run_time,
                now,
                coalesce=job.coalesce,
                misfire_grace_time=job.misfire_grace_time,
                has_room=open_runs[job.uid] < job.max_instances,
                catch_up_limit=conf().CATCH_UP_LIMIT,
            )
        except ValueError as error:
            logger.error("Job %r is quarantined: %s", job.id, error)
            quarantine(job, str(error), self.using)
            return None
        job.next_run_time = owed.next_run_time
        rows = [self._slot(job, slot, now) for slot in owed.slots]
        for stretch in owed.stretches:
            row = self._slot(job, stretch.first, now)
            row.last_run_time = stretch.last if stretch.count > 1 else None
            row.slots, row.status, row.reason = stretch.count, stretch.status, stretch.reason
            row.finished_at, row.term = now, self.lease.term
            rows.append(row)
        return rows

    def _slot(self, job: Job, slot: datetime, now: datetime) -> Execution:
        return Execution(
            job_id=job.id,
            job_uid=job.uid,
            job_name=job.name,
            scheduled_run_time=slot,
            due_at=slot,
            queued_at=now,
            **{name: getattr(job, name) for name in POLICY_FIELDS},
        )

    def _insert_missing(self, rows: list[Execution]) -> list[Execution]:
        """Pass over slots that the ledger already holds: being claimed is what we want of them."""
        executions = Execution._base_manager.using(self.using)
        inserted = []
        for row in rows:
            try:
                with transaction.atomic(using=self.using):
                    row.save(force_insert=True, using=self.using)
                inserted.append(row)
            except IntegrityError:
                if not executions.filter(
                    job_uid=row.job_uid, scheduled_run_time=row.scheduled_run_time, attempt=1
                ).exists():
                    raise
        return inserted

    def _advance(self, jobs: list[Job]) -> None:
        """Move the jobs on; a job without a further time goes, its history stays."""
        update_each(
            self.using,
            Job,
            ["next_run_time"],
            [(job.id, job.next_run_time) for job in jobs if job.next_run_time is not None],
        )
        if ended := [job for job in jobs if job.next_run_time is None]:
            rows = Job._base_manager.using(self.using)
            gone = [job.id for job in ended if not job.declared]
            rows.filter(id__in=gone)._raw_delete(self.using)
            kept = [job.id for job in ended if job.declared]
            rows.filter(id__in=kept).update(state=JobState.FINISHED, next_run_time=None)
