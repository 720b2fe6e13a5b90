"""APScheduler's face, and the loop: leader or standby, for as long as the process lives."""

from __future__ import annotations

import logging
import threading
from typing import Any

from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.base import STATE_PAUSED, STATE_STOPPED, SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler
from django.db.utils import InterfaceError, OperationalError

from ..conf import conf
from ..jobstore import DjangoJobStore
from ..models.node import Role
from ..notify import announce
from .clock import ClusterClock, monotonic
from .connection import LoopConnection
from .dispatcher import Dispatcher
from .events import Events
from .executors import ThreadExecutor
from .leader import Leader
from .lease import Lease, LeaseLost
from .ledger import Ledger
from .node import Self
from .outage import Outage
from .processes import ProcessExecutor
from .recorder import Recorder
from .runner import current_run
from .wakeup import Listener, Wakeup

logger = logging.getLogger("scheduler")

DRAIN_INTERVAL = 0.2
RESIGN_PAUSE = 2.0
"""Seconds for which a leader that was asked to resign leaves the lease to the others."""


class DjangoScheduler(BlockingScheduler):
    """Any number of processes may start one; one of them leads, the others stand by.

    ``start()`` blocks until ``shutdown()`` or ``stop()``. Losing the lease, the database or a job
    ends nothing.
    """

    def __init__(self, gconfig: dict[str, Any] | None = None, **options: Any) -> None:
        options.setdefault("timezone", conf().TIMEZONE or _django_zone())
        self.using = conf().DATABASE
        self.wake = Wakeup()
        self.clock = ClusterClock()
        self.node = Self(self.using)
        self.lease = Lease(self.node)
        self.role = Role.STANDBY
        self._stopping = False
        self._drain_for: float | None = None
        self._ended = threading.Event()
        super().__init__(gconfig or {}, **options)
        if "processes" not in self._executors:
            self.add_executor(ProcessExecutor(conf().PROCESSES), "processes")

    def start(self, paused: bool = False) -> None:
        """Run until somebody calls ``stop()`` or ``shutdown()``.

        Raises:
            ForeignProject: the tables belong to another project.
        """
        try:
            self.begin(paused)
            self._main_loop()
        finally:
            self._ended.set()

    def begin(self, paused: bool = False) -> None:
        """All of ``start`` but the loop, for tests that turn it by hand."""
        self.connection = LoopConnection(self.using)
        self.listener = Listener(self.using)
        super(BlockingScheduler, self).start(paused)
        ledger = Ledger(self.lease)
        self.dispatcher = Dispatcher(self._our_executors(), self.wake)
        for executor in self.dispatcher.executors.values():
            executor.connect(self.dispatcher.deliver, self.lease.trusted, self.clock.now)
            executor.keep_alive(monotonic() + conf().LEASE_TTL)
        self.events = Events(self, "default")
        self.recorder = Recorder(ledger, self.dispatcher, self.events)
        self.outage = Outage(self)
        self._ledger = ledger
        self._leader: Leader | None = None
        self._beat_at = self._look_at = 0.0

    def wakeup(self) -> None:
        """Make the loop turn now. Safe in any thread and in a signal handler."""
        self.wake.set()

    def stop(self, drain_for: float | None = None) -> None:
        """Ask the loop to end. Takes no lock, so a signal handler may call it.

        Args:
            drain_for: seconds to wait for running jobs; None: ``APSCHEDULER_DRAIN_TIMEOUT``.
        """
        self._drain_for = drain_for
        self._stopping = True
        self.wake.set()

    def shutdown(self, wait: bool = True) -> None:
        """APScheduler's way to stop. With ``wait``, returns when the loop has ended.

        Called by a job it never waits, since it would wait for itself.
        """
        if self.state == STATE_STOPPED:
            raise SchedulerNotRunningError
        self.stop(None if wait else 0.0)
        if wait and current_run() is None and threading.current_thread() is not self._thread:
            self._ended.wait()

    def _create_default_executor(self) -> ThreadExecutor:
        return ThreadExecutor(conf().MAX_WORKERS)

    def _create_default_jobstore(self) -> DjangoJobStore:
        return DjangoJobStore()

    def _main_loop(self) -> None:
        self._thread = threading.current_thread()
        while not self._stopping:
            wait = self._process_jobs()
            self.wake.wait(wait, self.listener)
        self._drain()

    def _process_jobs(self) -> float:
        """One turn, whatever the role. Never raises for the database's sake."""
        try:
            self.connection.prepare()
            if self.outage.since is not None:
                self.outage.end()
            self.recorder.record()
            self._beat()
            wait = self._act()
        except (OperationalError, InterfaceError) as error:
            return self.outage.begin(error)
        except Exception as error:
            logger.exception("A turn failed")
            return self.outage.begin(error)
        self.outage.settled()
        return wait

    def _act(self) -> float:
        if self._leader is None and (self._stopping or not self._stand_by()):
            return conf().STANDBY_INTERVAL
        if self.state == STATE_PAUSED:
            return conf().POLL_INTERVAL
        assert self._leader is not None
        try:
            return min(self._leader.turn(), self._others())
        except LeaseLost as lost:
            self._demote(str(lost) or "another process holds the lease")
            return conf().STANDBY_INTERVAL

    def _stand_by(self) -> bool:
        """One look at the lease. True: it is ours now."""
        if monotonic() < self._look_at or not self.lease.acquire():
            return False
        self.role = Role.LEADER
        self.clock.sync(self.using)
        self._beat_at = 0.0
        self._leader = Leader(self.lease, self._ledger, self.dispatcher, self.clock, self.events)
        self._leader.begin()
        self.events.became_leader(self.node.id, self.lease.term)
        return True

    def _demote(self, reason: str) -> None:
        term = self.lease.term
        if self.lease.release():  # still ours: we were asked to resign
            self._look_at = monotonic() + RESIGN_PAUSE
            announce(self.using)
        self.role, self._leader = Role.STANDBY, None
        self.events.lost_leadership(self.node.id, term, reason)

    def _beat(self) -> None:
        """Renew what keeps us alive in the eyes of the others: the node, and a leader's lease."""
        if monotonic() < self._beat_at:
            return
        before = monotonic()
        self._beat_at = before + conf().LEASE_RENEW
        if not self.node.beat(self.role, self.outage.last_error):
            self.node.register(self.listener.mode)
            self.node.beat(self.role)
        for executor in self.dispatcher.executors.values():
            executor.keep_alive(before + conf().LEASE_TTL - conf().LEASE_MARGIN)
        if self.lease.held:
            if not self.lease.renew():
                self._demote("another process took the lease")
            self.clock.sync(self.using)
        if self.dispatcher.in_flight and self._leader is None:
            self.dispatcher.cancel(self._ledger.cancel_requested())

    def _others(self) -> float:
        """Jobs of other job stores run as APScheduler runs them, on the leader only."""
        if all(isinstance(store, DjangoJobStore) for store in self._jobstores.values()):
            return conf().POLL_INTERVAL
        wait = super()._process_jobs()
        return conf().POLL_INTERVAL if wait is None else wait

    def _drain(self) -> None:
        """Hand the lease over first, then wait for what runs, record it, leave."""
        self.role = Role.DRAINING
        limit = conf().DRAIN_TIMEOUT if self._drain_for is None else self._drain_for
        deadline = monotonic() + limit
        self._beat_at = 0.0
        self._try(self._hand_over)
        while self.dispatcher.in_flight and monotonic() < deadline:
            self._process_jobs()
            if self.dispatcher.in_flight:
                self.wake.wait(min(DRAIN_INTERVAL, deadline - monotonic()))
        self._try(self._leave)
        self.listener.close()
        super(BlockingScheduler, self).shutdown(wait=False)

    def _hand_over(self) -> None:
        term = self.lease.term
        if self.lease.release():
            announce(self.using)
            self._leader = None
            self.events.lost_leadership(self.node.id, term, "stopping")

    def _leave(self) -> None:
        self.recorder.record()
        limit = conf().DRAIN_TIMEOUT if self._drain_for is None else self._drain_for
        lost = self.recorder.give_up(f"its scheduler stopped and waited {limit:g} s for it")
        if lost:
            logger.error("%d runs outlasted the drain of %g s: recorded as lost", lost, limit)
        self.node.beat(Role.STOPPED)

    def _try(self, step: Any) -> None:
        try:
            self.connection.prepare()
            step()
        except Exception:
            logger.exception("Stopping without %s", step.__name__)
            self.connection.close()

    def _our_executors(self) -> dict[str, ThreadExecutor]:
        return {
            alias: executor
            for alias, executor in self._executors.items()
            if isinstance(executor, ThreadExecutor)
        }

    def add_executor(self, executor: Any, alias: str = "default", **options: Any) -> None:
        """As APScheduler's; its pools are replaced by ours of the same size."""
        if isinstance(executor, ThreadPoolExecutor):
            executor = ThreadExecutor(executor._pool._max_workers)
        elif isinstance(executor, ProcessPoolExecutor):
            executor = ProcessExecutor(executor._pool._max_workers)
        super().add_executor(executor, alias, **options)


def _django_zone() -> str:
    from django.conf import settings

    return settings.TIME_ZONE
