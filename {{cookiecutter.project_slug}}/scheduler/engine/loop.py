"""The loop's turn: give a sign of life, record, lead or stand by. Whatever fails, it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from .. import declarations
from ..conf import conf
from ..models.node import Role
from ..notify import announce
from .clock import ClusterClock, monotonic
from .connection import LoopConnection
from .dispatcher import Dispatcher
from .events import Events
from .executors import ThreadExecutor
from .leader import Leader
from .lease import ForeignProject, Lease, LeaseLost
from .ledger import Ledger
from .lifesign import LifeSign
from .node import Self
from .outage import Outage, is_outage
from .pace import PATIENCE
from .recorder import Recorder
from .wakeup import Listener, Wakeup

logger = logging.getLogger("scheduler.loop")

DRAIN_INTERVAL = 0.2
RESIGN_PAUSE = 2.0
"""Seconds for which a leader that was asked to resign leaves the lease to the others."""


class Loop:
    """One scheduler process. Every method runs in the loop's thread, on its connection."""

    def __init__(
        self, using: str, executors: Mapping[str, ThreadExecutor], wakeup: Wakeup, events: Events
    ) -> None:
        self.using = using
        self.wakeup = wakeup
        self.events = events
        self.connection = LoopConnection(using)
        self.listener = Listener(using)
        self.clock = ClusterClock()
        self.node = Self(using)
        self.lease = Lease(self.node)
        self.ledger = Ledger(self.lease)
        self.dispatcher = Dispatcher(executors, wakeup)
        self.recorder = Recorder(self.ledger, self.dispatcher, events)
        self.outage = Outage(self)
        self.lifesign = LifeSign(self)
        self.role = Role.STANDBY
        self.leader: Leader | None = None
        self._beat_at = self._look_at = 0.0
        self._imported = False
        self.quiet = False
        """Whether nothing but results and time has woken the loop for the next turn."""
        for executor in executors.values():
            executor.connect(self.dispatcher.deliver, self.lease.trusted, self.clock.now)
            executor.keep_alive(monotonic() + conf().LEASE_TTL)

    @property
    def leads(self) -> bool:
        return self.leader is not None

    def turn(self, paused: bool = False) -> float:
        """One turn, whatever the role.

        Returns:
            Seconds to sleep, if nothing wakes the loop before.

        Raises:
            ForeignProject: the tables belong to another project. Nothing else.
        """
        quiet, self.quiet = self.quiet, False
        try:
            self.connection.prepare()
            if self.outage.since is not None:
                self.outage.end()
            self.dispatcher.take_back(self.clock.now() - PATIENCE)
            self._beat()  # before what a user's lock on a run's row may delay by seconds
            if self.recorder.record() or not quiet:
                self._look_again()
            wait = self._act(paused)
        except ForeignProject:
            raise
        except Exception as error:
            if not is_outage(error):
                logger.exception("A turn failed")
            return self.outage.begin(error)
        self.outage.settled()
        return min(wait, max(self._beat_at - monotonic(), 0.0))

    def drain(self, limit: Callable[[], float]) -> None:
        """Hand the lease over first, then wait for what runs, record it, leave.

        Args:
            limit: seconds to wait for running jobs; asked again and again.
        """
        began = monotonic()
        self.lifesign.stopping()
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
            return conf().STANDBY_INTERVAL

    def _look_again(self) -> None:
        if self.leader is not None:
            self.leader.forget()

    def _stand_by(self) -> bool:
        """One look at the lease. True: it is ours now."""
        if not self._imported:
            declarations.autodiscover()  # before leading: an import may take seconds
            self._imported = True
        if monotonic() < self._look_at or not self.lease.acquire():
            return False
        self.role, self._beat_at = Role.LEADER, 0.0
        self.clock.sync(self.using)
        leader = Leader(self.lease, self.ledger, self.dispatcher, self.clock, self.events)
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

    def _beat(self) -> None:
        """Renew what keeps us alive in the eyes of the others: the node, and a leader's lease."""
        before = monotonic()
        if before < self._beat_at:
            return
        vitals = self.node.vitals
        vitals.loop_lag_seconds = before - self._beat_at if self._beat_at else None
        vitals.wake_latency_seconds = self.listener.latency
        self._beat_at = before + conf().LEASE_RENEW
        complaint = self.leader.complaint if self.leader else ""
        self.node.beat(self.role, self.listener.mode, self.outage.last_error or complaint)
        self.listener.ping()
        for executor in self.dispatcher.executors.values():
            executor.keep_alive(before + conf().LEASE_TTL - conf().LEASE_MARGIN)
        vitals.renew_seconds = None
        if self.lease.held:
            began = monotonic()
            if not self.lease.renew():
                self._demote("another process took the lease")
            vitals.renew_seconds = monotonic() - began
            self.clock.sync(self.using)
        self.recorder.recover_lost_replies()  # a commit may also happen after its connection broke
        for row in self.dispatcher.overdue(self.clock.now()):
            self.events.overdue(row)
        if self.dispatcher.in_flight and self.leader is None:
            self.dispatcher.cancel(self.ledger.cancel_requested())

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
        """A step of leaving. The database may be away; leaving goes on."""
        try:
            self.connection.prepare()
            step()
            return True
        except Exception:
            logger.exception("A step of stopping failed; the others take over after the lease")
            self.connection.close()
            return False
