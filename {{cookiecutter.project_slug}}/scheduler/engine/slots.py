"""Write the slots that jobs owe: to run at once, to the queue, or with why they do not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from ..models import Execution, Job
from ..models.execution import Status
from ..models.policies import POLICY_FIELDS
from .due import Due
from .enqueue import can_return, enqueue
from .lease import Lease
from .planner import Plan
from .room import Room
from .runner import Run

Owing = Sequence[tuple[Due, Plan]]


@dataclass
class Claimed:
    """What one turn wrote."""

    due: int = 0
    """How many jobs were due."""
    queued: int = 0
    """How many runs it left in the queue."""
    started: list[Run] = field(default_factory=list)
    """Runs that are marked as running already."""
    unrun: list[Execution] = field(default_factory=list)
    """Slots that do not run."""

    more: bool = False
    """Whether the queue holds more for executors that had room."""

    @property
    def progress(self) -> bool:
        """Whether there was anything to do, so that more may be waiting already."""
        return bool(self.due or self.started)

    def add(self, rows: Sequence[Execution]) -> None:
        for row in rows:
            if row.status == Status.QUEUED:
                self.queued += 1
            else:
                self.unrun.append(row)


class Slots:
    """Every method runs inside the fenced transaction, before the jobs are moved on."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using

    def write(self, owing: Owing, now: datetime, room: Room | None, claimed: Claimed) -> None:
        """All of them, with one statement of each kind."""
        single = [job for job, owed in owing if _is_single(job, owed)]
        if room is not None and can_return(self.using):
            claimed.started = self._start(single, now, room)
        started = {run.job_id for run in claimed.started}
        queued = [job.id for job in single if job.id not in started]
        enqueue(queued, now, self.using)
        claimed.queued += len(queued)
        self._write_others([pair for pair in owing if not _is_single(*pair)], now, claimed)

    def write_missing(self, job: Job, owed: Plan, now: datetime, claimed: Claimed) -> None:
        """One by one. A slot that the ledger already holds is passed over: being claimed is what
        we want of it."""
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

    def _start(self, jobs: list[Due], now: datetime, room: Room) -> list[Run]:
        """Claimed and started with the same statement, as far as there is room."""
        runs = []
        for job in jobs:
            if not room.size:
                break
            run = _run(job, self.lease.term, now)
            if room.take(run):
                runs.append(run)
        inserted = enqueue(
            [run.job_id for run in runs],
            now,
            self.using,
            status=Status.RUNNING,
            node_id=self.lease.node.id,
            term=self.lease.term,
            started_at=now,
        )
        ids = {job_id: id for id, job_id in inserted}
        for run in runs:
            run.id = ids[run.job_id]
        return runs

    def _write_others(self, owing: Owing, now: datetime, claimed: Claimed) -> None:
        """Jobs that owe several slots, or slots that do not run. Their definitions are read whole;
        the rows are locked, so they are what was planned."""
        if not owing:
            return
        whole = Job._base_manager.using(self.using).in_bulk([job.id for job, _ in owing])
        rows = [row for job, owed in owing for row in self._rows(whole[job.id], owed, now)]
        Execution._base_manager.using(self.using).bulk_create(rows)
        if not can_return(self.using):
            self._read_ids([row for row in rows if row.status != Status.QUEUED])
        claimed.add(rows)

    def _read_ids(self, rows: Sequence[Execution]) -> None:
        """Of rows whose signal is still to be sent, with their id, as on other databases."""
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
    """It owes its one next slot, which is what nearly all jobs do nearly always."""
    return owed.slots == (job.next_run_time,) and not owed.stretches


def _run(job: Due, term: int, now: datetime) -> Run:
    """The run of the job's next slot, before its row has an id."""
    return Run(
        id=0,
        job_id=job.id,
        scheduled_run_time=job.next_run_time,
        attempt=1,
        term=term,
        func=job.func,
        args=job.args,
        kwargs=job.kwargs,
        timeout=job.timeout,
        job_name=job.name,
        job_uid=job.uid,
        due_at=job.next_run_time,
        executor=job.executor,
        max_instances=job.max_instances,
        max_retries=job.max_retries,
        on_lost=job.on_lost,
        warn_after=job.warn_after,
        sensitive=job.sensitive,
        started_at=now,
    )


def _slot(job: Job, slot: datetime, now: datetime) -> Execution:
    return Execution(
        job_id=job.id,
        job_uid=job.uid,
        job_name=job.name,
        scheduled_run_time=slot,
        due_at=slot,
        queued_at=now,
        **{name: getattr(job, name) for name in POLICY_FIELDS},
    )
