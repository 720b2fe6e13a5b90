"""The leader's turn: hold the lease, claim what is due, start what has room."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from .. import declarations, syncing
from ..conf import conf
from ..models import Execution
from .claims import Claims
from .clock import ClusterClock, monotonic
from .dispatcher import Dispatcher
from .events import Events
from .lease import Lease, LeaseLost
from .ledger import Ledger
from .outage import is_outage
from .peek import Lookout, Peek
from .quarantine import Quarantine
from .reconcile import Reconciler
from .replan import replan
from .retention import Retention
from .room import Room
from .slots import Claimed
from .tallies import Tallies

logger = logging.getLogger("scheduler.leader")

QUARANTINE_EVERY = 60.0
"""Seconds between attempts to load quarantined jobs."""
SYNC_EVERY = 10.0
"""Seconds between attempts to bring in what was locked: each may wait for that lock again."""

Claim = Callable[[datetime, Collection[str], Room | None], Claimed]


class Leader:
    """What a process does while it holds the lease. One object for each term."""

    def __init__(
        self,
        lease: Lease,
        ledger: Ledger,
        dispatcher: Dispatcher,
        clock: ClusterClock,
        events: Events,
    ) -> None:
        self.lease = lease
        self.lookout = Lookout(lease)
        self.claims = Claims(lease)
        self.ledger = ledger
        self.dispatcher = dispatcher
        self.clock = clock
        self.events = events
        self.reconciler = Reconciler(lease)
        self.quarantine = Quarantine(lease.using)
        self.tallies = Tallies(lease)
        self.retention = Retention(lease)
        self._elsewhere: Counter[UUID] = Counter()
        self._chores_at = 0.0
        self._quarantine_at = 0.0
        self._seen: Peek | None = None
        self._look_at = 0.0
        self.next_due: datetime | None = None
        self._synced: syncing.Report | None = None
        self._sync_at = 0.0

    def begin(self) -> None:
        """Before the first turn of a term: the jobs that the code declares."""
        self._synced = declarations.sync(self.lease.using, self.lease)
        self._sync_at = monotonic() + SYNC_EVERY

    @property
    def complaint(self) -> str:
        """What of the declarations could not be done."""
        errors = self._synced.errors if self._synced else {}
        last_lines = {of: text.strip().rpartition("\n")[2] for of, text in errors.items()}
        return "; ".join(f"{of}: {line}" for of, line in last_lines.items())

    def turn(self) -> float:
        """Do what is to be done now.

        Returns:
            Seconds until the next turn is due, if nothing wakes the loop before.

        Raises:
            LeaseLost: stand by.
            OperationalError, InterfaceError: the database; nothing was started.
        """
        if monotonic() >= self._chores_at:
            self._chores()
        now, room = self.clock.now(), self._room()
        seen = self._seen
        if seen is None or not seen.still_holds(room.executors) or monotonic() >= self._look_at:
            seen = self._look(room)
        if not seen.wants_turn(now):
            return seen.rest(now, self._look_at - monotonic())
        self._seen = None
        claimed = self._claim_and_start(seen)
        if not claimed.progress:
            return seen.rest(now, conf().POLL_INTERVAL)
        self._seen = seen.after(claimed)
        return 0.0 if self._seen is None else seen.rest(now, self._look_at - monotonic())

    def rest(self) -> float:
        """A paused leader's turn: it claims and starts nothing, and does the rest of its duties.

        Returns and raises what ``turn`` does.
        """
        if monotonic() >= self._chores_at:
            self._chores()
        if self._look(self._room()).resign_requested:  # which also delivers requests to cancel
            raise LeaseLost("asked to resign")
        return conf().POLL_INTERVAL

    def forget(self) -> None:
        """What was seen may have changed: look before the next turn."""
        self._seen = None

    def _look(self, room: Room) -> Peek:
        self._look_at = monotonic() + conf().POLL_INTERVAL
        self._seen = seen = self.lookout.peek(room.executors)
        self.next_due = seen.next_due
        if seen.cancelling:
            self.dispatcher.cancel(self.ledger.cancel_requested())
        return seen

    def _claim_and_start(self, seen: Peek) -> Claimed:
        try:
            claimed = self._fenced(self.claims.all, seen)
        except Exception as error:
            if isinstance(error, LeaseLost) or is_outage(error):
                raise
            logger.exception("A turn failed; doing it again job by job")
            claimed = self._fenced(self.claims.one_by_one, seen)
        self.dispatcher.submit(claimed.started)
        self.events.unrun(claimed.unrun)
        self.events.started(claimed.started)
        if self.lease.resign_requested:
            raise LeaseLost("asked to resign")
        return claimed

    def _fenced(self, claim: Claim, seen: Peek) -> Claimed:
        """Claim and start in one transaction, behind the fence. Nothing runs before the commit."""
        room, claimed = self._room(), Claimed()
        with transaction.atomic(using=self.lease.using):
            self.lease.hold()
            now = self.clock.now()
            queued = seen.is_queued(now)
            if seen.rescheduled:
                replan(now, self.lease.using)
            if seen.rescheduled or seen.is_due(now):
                # What was queued before goes first; with an empty queue, what is due starts now.
                claimed = claim(now, self.dispatcher.executors, None if queued else room)
            if queued or claimed.queued:
                claimed.started += self.ledger.start(now, room)
        claimed.more = room.is_full
        return claimed

    def _room(self) -> Room:
        return self.dispatcher.room(self._elsewhere)

    def _chores(self) -> None:
        """What is done at the start of a term, and then with each renewal."""
        self._chores_at = monotonic() + conf().LEASE_RENEW
        self.forget()
        refused: list[Execution] = []
        with transaction.atomic(using=self.lease.using):
            self.lease.hold()
            now = self.clock.now()
            lost = self.reconciler.lose_runs_of_the_dead(now)
            self._elsewhere = self.reconciler.running_elsewhere()
            replan(now, self.lease.using)
            if monotonic() >= self._quarantine_at:
                self._quarantine_at = monotonic() + QUARANTINE_EVERY
                if self.quarantine.release(self.dispatcher.executors):
                    self._quarantine_at = 0.0  # the next page, with the next chores
                refused = self.reconciler.refuse_unknown_executors(self.dispatcher.executors, now)
                self.reconciler.forget_old_nodes(now)
        self.events.lost(lost)
        self.events.refused(refused)
        self._sync_postponed()
        self.tallies.step(now)
        self.retention.step(now)

    def _sync_postponed(self) -> None:
        """Declared jobs whose rows somebody held locked when the term began."""
        if self._synced and self._synced.postponed and monotonic() >= self._sync_at:
            syncing.sync_postponed(self.lease.using, self._synced, self.lease)
            self._sync_at = monotonic() + SYNC_EVERY
