"""The engine without threads, for tests: job functions run where they are called.

They run in the caller's thread and on its connection, inside whatever transaction the test is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from .. import scheduler
from ..db.clock import ClusterClock
from ..engine.dispatcher import Dispatcher
from ..engine.events import Events
from ..engine.executors.runner import Run
from ..engine.executors.threads import ThreadExecutor
from ..engine.leadership.lease import LeaseHolder
from ..engine.leadership.node import Self
from ..engine.ledger.claims import Claims
from ..engine.ledger.outcomes import Outcomes
from ..engine.ledger.publications import Elsewhere
from ..engine.ledger.queue import Queue
from ..engine.maintenance.replan import replan
from ..engine.recorder import Recorder
from ..engine.wakeup import Wakeup
from ..models import Execution
from ..models.job import JobQuerySet
from ..models.node import Role


class InlineExecutor(ThreadExecutor):
    """``submit`` returns when the body has ended."""

    def submit(self, run: Run) -> None:
        """Call the job function and deliver its result."""
        self._runs[run.id] = run
        self._end(self._body(run))


class ClaimsOfJob(Claims):
    """What is due of one job; the others wait, as if their rows were locked."""

    def __init__(self, lease: LeaseHolder, job_id: str) -> None:
        super().__init__(lease)
        self.job_id = job_id

    def _locked(self, now: Any) -> JobQuerySet:
        return super()._locked(now).filter(id=self.job_id)


class QueueOfJob(Queue):
    """What is queued of one job, which need not be there any more."""

    def __init__(self, lease: LeaseHolder, job_id: str) -> None:
        super().__init__(lease)
        self.job_id = job_id

    def _queued(self, executor: Any, now: Any) -> QuerySet[Execution]:
        return super()._queued(executor, now).filter(job_id=self.job_id)


class InlineEngine:
    """One leader for the length of a ``with`` block.

    Args:
        job_id: claim and run this job alone.

    Raises:
        RuntimeError: another scheduler leads on this database.
    """

    def __init__(self, using: str, aliases: Iterable[str], job_id: str | None = None) -> None:
        self.using = using
        self.clock = ClusterClock()
        self.node = Self(using)
        self.lease = LeaseHolder(self.node)
        self.claims, self.queue = Claims(self.lease), Queue(self.lease)
        if job_id is not None:
            self.claims = ClaimsOfJob(self.lease, job_id)
            self.queue = QueueOfJob(self.lease, job_id)
        self.outcomes = Outcomes(using, self.node.id)
        self.wakeup = Wakeup()
        executors = {alias: InlineExecutor(slots=100) for alias in aliases}
        self.dispatcher = Dispatcher(executors, self.wakeup)
        self.events = Events(scheduler, "default")
        self.recorder = Recorder(self.outcomes, self.dispatcher, self.events)
        for executor in executors.values():
            executor.connect(self.dispatcher.deliver, self.lease.trusted, self.clock.now)

    def __enter__(self) -> InlineEngine:
        self.node.beat(Role.LEADER, "poll", "")
        if not self.lease.acquire():
            raise RuntimeError(f"Another scheduler leads on the database {self.using!r}")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.lease.release()
        self.node.beat(Role.STOPPED, "poll", "")
        self.wakeup.close()

    def turn(self) -> list[int]:
        """Claim what is due, run as much as has room; the ids of what ended."""
        self.clock.sync(self.using)
        now = self.clock.now()
        with transaction.atomic(using=self.using):
            self.lease.hold()
            replan(now, self.using)  # what QuerySet.update(trigger=...) left behind
            claimed = self.claims.all(now, self.dispatcher.executors)
            capacity = self.dispatcher.capacity(Elsewhere())
            started = self.queue.start(now, capacity, self.dispatcher.executors)
        self.events.unrun(claimed.unrun)
        self.events.started(started)
        self.dispatcher.submit(started)
        self.recorder.record()
        return [row.pk for row in claimed.unrun] + [run.id for run in started]

    def next_queued(self) -> Execution | None:
        """Return the first execution in the queue, or None."""
        queued = Execution.objects.using(self.using).queued()
        return queued.order_by("due_at", "id").first()
