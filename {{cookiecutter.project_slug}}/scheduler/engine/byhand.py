"""The engine without threads, for tests: bodies run where they are called, in the caller's thread
and on its connection, inside whatever transaction the test is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import transaction

from .. import scheduler
from ..models import Execution
from ..models.node import Role
from .claims import Claims
from .clock import ClusterClock
from .dispatcher import Dispatcher
from .events import Events
from .executors import ThreadExecutor
from .lease import Lease
from .ledger import Ledger
from .node import Self
from .recorder import Recorder
from .replan import replan
from .runner import Run
from .wakeup import Wakeup


class InlineExecutor(ThreadExecutor):
    """``submit`` returns when the body has ended."""

    def submit(self, run: Run) -> None:
        self._runs[run.id] = run
        self._work(run)


class ByHand:
    """One leader for the length of a ``with`` block.

    Raises:
        RuntimeError: another scheduler leads on this database.
    """

    def __init__(self, using: str, aliases: Iterable[str]) -> None:
        self.using = using
        self.clock = ClusterClock()
        self.node = Self(using)
        self.lease = Lease(self.node)
        self.claims, self.ledger = Claims(self.lease), Ledger(self.lease)
        self.wakeup = Wakeup()
        executors = {alias: InlineExecutor(slots=100) for alias in aliases}
        self.dispatcher = Dispatcher(executors, self.wakeup)
        self.events = Events(scheduler, "default")
        self.recorder = Recorder(self.ledger, self.dispatcher, self.events)
        for executor in executors.values():
            executor.connect(self.dispatcher.deliver, self.lease.trusted, self.clock.now)

    def __enter__(self) -> ByHand:
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
            started = self.ledger.start(now, self.dispatcher.room(Counter()))
        self.events.unrun(claimed.unrun)
        self.events.started(started)
        self.dispatcher.submit(started)
        self.recorder.record()
        return [row.pk for row in claimed.unrun] + [run.id for run in started]

    def next_queued(self) -> Execution | None:
        """What waits in the queue, the next one first."""
        queued = Execution.objects.using(self.using).queued()
        return queued.order_by("due_at", "id").first()
