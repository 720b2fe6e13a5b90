"""Write the slots that jobs owe: to run at once, to the queue, or with why they do not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from ...definitions.due import Due
from ...models import Execution, Job
from ...models.execution import Status
from ...models.runspec import snapshot
from ..executors.runner import Run
from ..leadership.lease import LeaseHolder
from .capacity import Capacity
from .enqueue import can_return, enqueue
from .planner import Plan

Owing = Sequence[tuple[Due, Plan]]


@dataclass
class ClaimResult:
    """What one turn wrote."""

    due: int = 0
    """How many jobs were due."""
    queued: int = 0
    """How many runs it left in the queue ..."""
    queued_for: set[str] = field(default_factory=set)
    """... and for which executors."""
    started: list[Run] = field(default_factory=list)
    """Runs that are marked as running already."""
    published: list[Run] = field(default_factory=list)
    """Runs that are marked as published to the workers."""
    unrun: list[Execution] = field(default_factory=list)
    """Slots that do not run."""

    more: bool = False
    """Whether the queue holds more for executors that had room."""

    @property
    def progress(self) -> bool:
        """Return whether there was anything to do, so that more may be waiting already."""
        return bool(self.due or self.started or self.published)

    def take(self, runs: Sequence[Run]) -> None:
        """Add runs of the queue: those that run, and those that are published."""
        for run in runs:
            (self.published if run.started_at is None else self.started).append(run)

    def add(self, rows: Sequence[Execution]) -> None:
        """Count rows that were written: those in the queue, and those that do not run."""
        for row in rows:
            if row.status == Status.QUEUED:
                self.queued += 1
                self.queued_for.add(row.executor)
            else:
                self.unrun.append(row)


class Slots:
    """Writes slots. Call inside the fenced transaction, before the jobs are moved on."""

    def __init__(self, lease: LeaseHolder) -> None:
        self.lease = lease
        self.using = lease.using

    def write(
        self, owing: Owing, now: datetime, capacity: Capacity | None, claimed: ClaimResult
    ) -> None:
        """Write all slots that are owed, with one statement of each kind.

        Args:
            owing: each job with its plan.
            now: the cluster's time.
            capacity: where runs may start at once; None: all go to the queue.
            claimed: is told what was written.
        """
        single = [job for job, owed in owing if _is_single(job, owed)]
        if capacity is not None and can_return(self.using):
            claimed.started = self._start(single, now, capacity)
        started = {run.job_id for run in claimed.started}
        queued = [job for job in single if job.id not in started]
        enqueue([job.id for job in queued], now, self.using)
        claimed.queued += len(queued)
        claimed.queued_for.update(job.executor for job in queued)
        self._write_others([pair for pair in owing if not _is_single(*pair)], now, claimed)

    def write_missing(self, job: Job, owed: Plan, now: datetime, claimed: ClaimResult) -> None:
        """Write the slots of one job, each by itself.

        A slot that the ledger already holds is passed over: that it is claimed is all that is
        wanted.
        """
        executions = Execution._base_manager.using(self.using)
        for row in self._rows(job, owed, now):
            try:
                with transaction.atomic(using=self.using):
                    row.save(force_insert=True, using=self.using)
                claimed.add([row])
            except IntegrityError:
                if not executions.filter(
                    job_uid=row.job_uid, scheduled_run_time=row.scheduled_run_time, attempt=1
                ).exists():
                    raise

    def _start(self, jobs: list[Due], now: datetime, capacity: Capacity) -> list[Run]:
        """Claim and start with the same statement, as far as there is room."""
        runs = []
        for job in jobs:
            if not capacity.size:
                break
            run = _run(job, self.lease, now)
            if job.executor not in capacity.remote and capacity.admit(run):
                runs.append(run)

        def number(ids: dict[str, int]) -> None:
            for run in runs:
                run.id = ids[run.job_id]

        enqueue(
            [run.job_id for run in runs],
            now,
            self.using,
            number,
            status=Status.RUNNING,
            node_id=self.lease.node.id,
            term=self.lease.term,
            started_at=now,
        )
        return runs

    def _write_others(self, owing: Owing, now: datetime, claimed: ClaimResult) -> None:
        """Write the slots of jobs that owe several, and those that do not run.

        The definitions are read whole; the rows are locked, so they are what was planned.
        """
        if not owing:
            return
        whole = Job._base_manager.using(self.using).in_bulk([job.id for job, _ in owing])
        rows = [row for job, owed in owing for row in self._rows(whole[job.id], owed, now)]
        Execution._base_manager.using(self.using).bulk_create(rows)
        if not can_return(self.using):
            self._read_ids([row for row in rows if row.status != Status.QUEUED])
        claimed.add(rows)

    def _read_ids(self, rows: Sequence[Execution]) -> None:
        """Read the ids of rows whose signal is still to be sent, which other databases return."""
        found = Execution._base_manager.using(self.using).filter(
            job_uid__in={row.job_uid for row in rows},
            scheduled_run_time__in={row.scheduled_run_time for row in rows},
            attempt=1,
        )
        slots = found.values_list("job_uid", "scheduled_run_time", "pk")
        ids = {(uid, slot): pk for uid, slot, pk in slots}
        for row in rows:
            row.pk = ids[row.job_uid, row.scheduled_run_time]

    def _rows(self, job: Job, owed: Plan, now: datetime) -> list[Execution]:
        rows = [_slot(job, slot, now) for slot in owed.slots]
        for stretch in owed.stretches:
            row = _slot(job, stretch.first, now)
            row.last_run_time = stretch.last if stretch.count > 1 else None
            row.slots, row.status, row.reason = stretch.count, stretch.status, stretch.reason
            row.finished_at, row.term = now, self.lease.term
            rows.append(row)
        return rows


def _is_single(job: Due, owed: Plan) -> bool:
    """Return whether the job owes its one next slot, which is nearly always so."""
    return owed.slots == (job.next_run_time,) and not owed.stretches


def _run(job: Due, lease: LeaseHolder, now: datetime) -> Run:
    """Return the run of the job's next slot, before its row has an id."""
    return Run(
        id=0,
        job_id=job.id,
        job_uid=job.uid,
        job_name=job.name,
        scheduled_run_time=job.next_run_time,
        due_at=job.next_run_time,
        attempt=1,
        term=lease.term,
        queued_at=now,
        started_at=now,
        node_id=lease.node.id,
        **snapshot(job),
    )


def _slot(job: Job, slot: datetime, now: datetime) -> Execution:
    return Execution.for_job(job, scheduled_run_time=slot, due_at=slot, queued_at=now)
