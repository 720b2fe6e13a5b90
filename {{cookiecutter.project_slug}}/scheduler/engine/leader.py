"""The leader's turn: hold the lease, claim what is due, start what has room."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from .. import declarations
from ..conf import conf
from .claims import Claims
from .clock import ClusterClock, monotonic
from .dispatcher import Dispatcher
from .events import Events
from .lease import Lease, LeaseLost
from .ledger import Ledger
from .outage import is_outage
from .peek import Lookout
from .quarantine import release
from .reconcile import Reconciler
from .replan import replan
from .retention import Retention
from .room import Room
from .slots import Claimed
from .tallies import Tallies

logger = logging.getLogger("scheduler.leader")

QUARANTINE_EVERY = 60.0
"""Seconds between attempts to load quarantined jobs."""

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
        self.tallies = Tallies(lease)
        self.retention = Retention(lease.using)
        self._elsewhere: Counter[UUID] = Counter()
        self._chores_at = 0.0
        self._quarantine_at = 0.0
        self.next_due: datetime | None = None
        self.complaint = ""

    def begin(self) -> None:
        """Before the first turn of a term: the jobs that the code declares."""
        errors = declarations.sync(self.lease.using).errors
        last_lines = {of: text.strip().rpartition("\n")[2] for of, text in errors.items()}
        self.complaint = "; ".join(f"{of}: {line}" for of, line in last_lines.items())

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
        now, seen = self.clock.now(), self.lookout.peek()
        self.next_due = seen.next_due
        if seen.cancelling:
            self.dispatcher.cancel(self.ledger.cancel_requested())
        queued = seen.is_queued(now) and self._room().size > 0
        if (queued or seen.wants_turn(now)) and self._claim_and_start(seen.rescheduled, queued):
            return 0.0
        return seen.rest(now, conf().POLL_INTERVAL)

    def _claim_and_start(self, rescheduled: bool, queued: bool) -> bool:
        """True: something was due, so that more may be due already."""
        try:
            claimed = self._fenced(self.claims.all, rescheduled, queued)
        except Exception as error:
            if isinstance(error, LeaseLost) or is_outage(error):
                raise
            logger.exception("A turn failed; doing it again job by job")
            claimed = self._fenced(self.claims.one_by_one, rescheduled, queued)
        self.dispatcher.submit(claimed.started)
        self.events.unrun(claimed.unrun)
        self.events.started(claimed.started)
        if self.lease.resign_requested:
            raise LeaseLost("asked to resign")
        return bool(claimed.due or claimed.started)

    def _fenced(self, claim: Claim, rescheduled: bool, queued: bool) -> Claimed:
        """Claim and start in one transaction, behind the fence. Nothing runs before the commit."""
        room = self._room()
        with transaction.atomic(using=self.lease.using):
            self.lease.hold()
            now = self.clock.now()
            if rescheduled:
                replan(now, self.lease.using)
            # What was queued before goes first; with an empty queue, what is due starts at once.
            claimed = claim(now, self.dispatcher.executors, None if queued else room)
            if queued or claimed.queued:
                claimed.started += self.ledger.start(now, room)
        return claimed

    def _room(self) -> Room:
        return self.dispatcher.room(self._elsewhere)

    def _chores(self) -> None:
        """What is done at the start of a term, and then with each renewal."""
        self._chores_at = monotonic() + conf().LEASE_RENEW
        with transaction.atomic(using=self.lease.using):
            self.lease.hold()
            now = self.clock.now()
            lost = self.reconciler.lose_runs_of_the_dead(now)
            self._elsewhere = self.reconciler.running_elsewhere()
            replan(now, self.lease.using)
            if monotonic() >= self._quarantine_at:
                self._quarantine_at = monotonic() + QUARANTINE_EVERY
                release(self.lease.using, self.dispatcher.executors)
                self.reconciler.refuse_unknown_executors(self.dispatcher.executors, now)
                self.reconciler.forget_old_nodes(now)
        self.events.lost(lost)
        self.tallies.step(now)
        self.retention.step(now)
