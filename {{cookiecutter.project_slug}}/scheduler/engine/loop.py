"""The loop's turn: heartbeat, record, lead or stand by. Whatever fails, it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from ..conf import conf
from ..db.clock import ClusterClock, monotonic
from ..db.connection import LoopConnection
from ..db.errors import is_outage
from ..db.file import DatabaseFile, DatabaseReplaced
from ..db.notify import announce
from ..definitions import declarations
from ..models.node import Role
from .dispatcher import Dispatcher
from .events import Events
from .executors.protocol import Executor
from .executors.readahead import MAX_AHEAD_WAIT
from .heartbeat import Heartbeat
from .leader import Leader
from .leadership.lease import ForeignProject, LeaseHolder, LeaseLost
from .leadership.node import Self
from .ledger.outcomes import Outcomes
from .livelog import LiveLog
from .outage import Outage
from .recorder import Recorder
from .wakeup import Listener, Wakeup

logger = logging.getLogger("scheduler.loop")

DRAIN_INTERVAL = 0.2
RESIGN_PAUSE = 2.0
"""Seconds for which a leader that was asked to resign leaves the lease to the others."""


class Loop:
    """One scheduler process. Its methods run in the loop's thread, on its connection."""

    def __init__(
        self, using: str, executors: Mapping[str, Executor], wakeup: Wakeup, events: Events
    ) -> None:
        self.using = using
        self.wakeup = wakeup
        self.events = events
        self.connection = LoopConnection(using)
        self.listener = Listener(using)
        self.clock = ClusterClock()
        self.node = Self(using)
        self.lease = LeaseHolder(self.node)
        self.outcomes = Outcomes(using, self.node.id)
        self.dispatcher = Dispatcher(executors, wakeup)
        self.recorder = Recorder(self.outcomes, self.dispatcher, events)
        self.live_log = LiveLog(self.outcomes, self.dispatcher)
        self.outage = Outage(self.connection)
        self.file = DatabaseFile(using)
        self.heartbeat = Heartbeat()
        self.role = Role.STANDBY
        self.leader: Leader | None = None
        self._beat_at = self._look_at = 0.0
        self._next_turn = 0.0
        self._imported = False
        self.idle = False
        """Whether nothing but results and time has woken the loop for the next turn."""
        for executor in executors.values():
            self._connect(executor)

    @property
    def leads(self) -> bool:
        """Return whether this process is the leader."""
        return self.leader is not None

    def add_executor(self, executor: Executor, alias: str) -> None:
        """Let runs start in this executor too, from the next turn on. Safe in any thread."""
        self._connect(executor)
        # Another mapping: the loop's thread may be going through this one.
        self.dispatcher.executors = {**self.dispatcher.executors, alias: executor}
        self.wakeup.set()

    def turn(self, paused: bool = False) -> float:
        """Take one turn, whatever the role.

        Args:
            paused: whether a leader only rests (see ``Leader.rest``).

        Returns:
            Seconds to sleep, if nothing wakes the loop before.

        Raises:
            ForeignProject: the tables belong to another project. Nothing else.
        """
        idle, self.idle = self.idle, False
        self._note_pause()
        try:
            self.file.check_there()
            self.connection.prepare()
            self.file.check()
            if self.outage.since is not None:
                self._recover()
            self.dispatcher.take_back(self.clock.now() - MAX_AHEAD_WAIT)
            self._beat()  # before what a user's lock on a run's row may delay by seconds
            if self._record(paused) or not idle:
                self._invalidate()
            self.live_log.write()
            wait = self._act(paused)
        except ForeignProject:
            raise
        except Exception as error:
            if isinstance(error, DatabaseReplaced):
                self._step_down(str(error))
            return self.outage.begin(error)
        self.outage.succeeded()
        self.listener.listen(self.leads)  # a standby looks at the lease anyway: one connection
        wait = min(wait, max(self._beat_at - monotonic(), 0.0))
        self._next_turn = monotonic() + wait
        return wait

    def drain(self, limit: Callable[[], float]) -> None:
        """Hand the lease over first, then wait for what runs, record it, leave.

        Args:
            limit: returns the seconds to wait for running jobs, counted from now; called
                repeatedly.
        """
        began = monotonic()
        self.heartbeat.stopping()
        handed_over = self._try(self._hand_over)
        self.lease.lose()  # whatever came of it: it is not renewed any more
        self.role, self.leader, self._beat_at = Role.DRAINING, None, 0.0
        self.dispatcher.take_back()
        while self.dispatcher.in_flight and (left := began + limit() - monotonic()) > 0:
            self.turn()
            if not handed_over and self.outage.since is None:  # the database is back
                handed_over = self._try(self._hand_over)
            if self.dispatcher.in_flight:
                self.wakeup.wait(min(DRAIN_INTERVAL, left))
        if self.dispatcher.in_flight:
            # First: as soon as they are recorded as lost, a new leader may start their retries.
            self.dispatcher.end_bodies()
        self._try(lambda: self._leave(limit()))
        self.listener.close()

    def send_heartbeat(self) -> None:
        """Tell systemd and the probes, when it is due, what this process does."""
        next_due = self.leader.next_due if self.leader else None
        self.heartbeat.turned(self.role, self.lease.term, next_due, self.outage)

    def _connect(self, executor: Executor) -> None:
        executor.connect(self.dispatcher.deliver, self.lease.trusted, self.clock.now)
        executor.keep_alive(monotonic() + conf().LEASE_TTL)

    def _note_pause(self) -> None:
        """Log a turn that comes much later than it was meant to: the machine slept, or we did."""
        late = monotonic() - self._next_turn if self._next_turn else 0.0
        self._next_turn = 0.0
        if late > conf().LEASE_TTL:
            logger.warning(
                "This process stood still for %.0f s: suspended, stopped, or without a processor",
                late,
            )

    def _recover(self) -> None:
        """Settle what an outage left in doubt. The heartbeat, which writes, tells if it is over.

        Raises:
            OperationalError, InterfaceError: the database is not back after all.
        """
        self.lease.forget()
        self._beat_at = 0.0
        if self.leader is not None:
            self.leader.reconciler.forget()
            self.leader.publications.doubt()

    def _act(self, paused: bool) -> float:
        if self.role is Role.DRAINING:
            return DRAIN_INTERVAL
        if self.leader is None and not self._stand_by():
            return conf().STANDBY_INTERVAL
        assert self.leader is not None
        try:
            return self.leader.rest() if paused else self.leader.turn()
        except LeaseLost as lost:
            self._demote(str(lost) or "another process holds the lease")
            self.recorder.record()
            return conf().STANDBY_INTERVAL

    def _record(self, paused: bool) -> bool:
        """Write what arrived, unless the leader's turn does it, maybe together with its claims.

        Returns:
            Whether that may have put rows into the queue.
        """
        if self.leader is not None and not paused and self.recorder.joinable():
            return False
        return self.recorder.record()

    def _invalidate(self) -> None:
        if self.leader is not None:
            self.leader.invalidate()

    def _stand_by(self) -> bool:
        """Look at the lease once, and begin to lead if it could be taken."""
        if not self._imported:
            declarations.autodiscover()  # before leading: an import may take seconds
            self._imported = True
        if monotonic() < self._look_at or not self.lease.acquire():
            return False
        self.role, self._beat_at = Role.LEADER, 0.0
        self.clock.sync(self.using)
        leader = Leader(
            self.lease, self.outcomes, self.dispatcher, self.clock, self.events, self.recorder
        )
        try:
            leader.begin()
        except LeaseLost:
            self._demote("another process took the lease")
            return False
        except Exception as error:
            if is_outage(error):
                raise
            # Half a leader would keep the lease and claim nothing: let another one try.
            logger.exception("Cannot begin to lead")
            self._demote(f"it cannot begin: {type(error).__name__}")
            return False
        self.leader = leader
        self.events.became_leader(self.node.id, self.lease.term)
        return True

    def _demote(self, reason: str) -> None:
        term = self.lease.term
        self.role, self.leader = Role.STANDBY, None  # also when the next statement fails
        if self.lease.release():  # still ours: we were asked to resign
            self._look_at = monotonic() + RESIGN_PAUSE
            announce(self.using)
        self.events.lost_leadership(self.node.id, term, reason)

    def _after_restore(self) -> None:
        """Step down after a restore: the tables tell of an earlier time than we have seen."""
        lost = self.recorder.lose_unknown(
            "a backup was restored while it ran, or after: whether it ended is not known"
        )
        logger.error(
            "The database was restored to an earlier state under the running scheduler; %d runs "
            "are recorded as lost. Stop every scheduler before a backup is restored",
            lost,
        )
        if self.leader is not None:
            self._step_down("the database was restored to an earlier state")

    def _step_down(self, reason: str) -> None:
        """Trust the lease no longer, and leave it as it is; whoever leads next takes it."""
        was_leader, self.role, self.leader = self.leader, Role.STANDBY, None
        self.lease.lose()
        if was_leader is not None:
            self.events.lost_leadership(self.node.id, self.lease.term, reason)

    def _beat(self) -> None:
        """Renew what keeps us alive in the eyes of the others: the node, and a leader's lease."""
        before = monotonic()
        if before < self._beat_at:
            return
        metrics = self.node.metrics
        metrics.loop_lag_seconds = before - self._beat_at if self._beat_at else None
        metrics.wake_latency_seconds = self.listener.latency
        metrics.workers, metrics.busy_workers = self.dispatcher.workers()
        metrics.publish_error = self.dispatcher.publish_error
        self._beat_at = before + conf().LEASE_RENEW
        of_leader = self.leader.error if self.leader else ""
        error = self.outage.last_error or of_leader
        if not self.node.beat(self.role, self.listener.mode, error):
            self._after_restore()
        self.listener.ping()
        for executor in self.dispatcher.executors.values():
            executor.keep_alive(before + conf().LEASE_TTL - conf().LEASE_MARGIN)
        metrics.renew_seconds = None
        if self.lease.held:
            began = monotonic()
            if not self.lease.renew():
                self._demote("another process took the lease")
            metrics.renew_seconds = monotonic() - began
            self.clock.sync(self.using)
        # Also without an outage: a commit may happen after its connection broke.
        given_back = self.recorder.recover_lost_replies()
        if self.outage.since is not None:
            self.outage.given_back += given_back
        for row in self.dispatcher.overdue(self.clock.now()):
            self.events.overdue(row)
        if self.dispatcher.in_flight and self.leader is None:
            self.dispatcher.cancel(self.outcomes.cancel_requested())

    def _hand_over(self) -> None:
        term = self.lease.term
        if self.lease.release():
            announce(self.using)
            self.events.lost_leadership(self.node.id, term, "stopping")

    def _leave(self, waited: float) -> None:
        self.recorder.record()
        lost = self.recorder.give_up(f"its scheduler stopped and waited {waited:g} s for it")
        if lost:
            logger.error("%d runs outlasted the drain of %g s: recorded as lost", lost, waited)
        self.node.beat(Role.STOPPED, self.listener.mode, "")

    def _try(self, step: Callable[[], None]) -> bool:
        """Try a step of leaving: the database may be away, and leaving goes on."""
        try:
            self.connection.prepare()
            step()
            return True
        except Exception:
            logger.exception("A step of stopping failed; the others take over after the lease")
            self.connection.close()
            return False
