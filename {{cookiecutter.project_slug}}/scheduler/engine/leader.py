"""The leader's turn: hold the lease, claim what is due, start what has room."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction

from ..conf import conf
from ..db.clock import ClusterClock, monotonic
from ..db.errors import is_lock_wait, is_outage
from ..db.trips import transaction_in_few_trips
from ..models import Execution, Job
from .dispatcher import Dispatcher
from .events import Events
from .executors.runner import Result, Run
from .leadership.lease import ClusterPaused, LeaseHolder, LeaseLost
from .ledger.capacity import Capacity
from .ledger.claims import Claims
from .ledger.outcomes import Outcomes
from .ledger.publications import Elsewhere
from .ledger.queue import Queue
from .ledger.slots import ClaimResult
from .maintenance.crashes import Crashes
from .maintenance.quarantine import Quarantine
from .maintenance.reconcile import Reconciler
from .maintenance.replan import replan
from .maintenance.retention import Retention
from .maintenance.sync import SyncReport, sync, sync_postponed
from .maintenance.tallies import Tallies
from .maintenance.zonerules import ZoneRules
from .poll import Poll, Poller
from .recorder import Recorder

logger = logging.getLogger("scheduler.leader")

QUARANTINE_INTERVAL = 60.0
"""Seconds between attempts to load quarantined jobs."""
SYNC_INTERVAL = 10.0
"""Seconds between attempts to bring in what was locked: each may wait for that lock again."""

HELD_AFTER = 5.0
"""Seconds for which a due job is passed over before the log names it."""

Claim = Callable[[datetime, Collection[str], Capacity | None], ClaimResult]


class Leader:
    """What a process does while it holds the lease. One object for each term."""

    def __init__(
        self,
        lease: LeaseHolder,
        outcomes: Outcomes,
        dispatcher: Dispatcher,
        clock: ClusterClock,
        events: Events,
        recorder: Recorder,
    ) -> None:
        self.lease = lease
        self.poller = Poller(lease)
        self.claims = Claims(lease)
        self.queue = Queue(lease)
        self.outcomes = outcomes
        self.dispatcher = dispatcher
        self.clock = clock
        self.events = events
        self.recorder = recorder
        self.reconciler = Reconciler(lease)
        self.quarantine = Quarantine(lease.using)
        self.crashes = Crashes(lease.using)
        self.zone_rules = ZoneRules(lease.using)
        self.tallies = Tallies(lease)
        self.retention = Retention(lease)
        self.publications = self.queue.publications
        self._elsewhere = Elsewhere()
        self._chores_at = 0.0
        self._quarantine_at = 0.0
        self._seen: Poll | None = None
        self._look_at = 0.0
        self.next_due: datetime | None = None
        self._synced: SyncReport | None = None
        self._sync_at = 0.0
        self._overdue: tuple[datetime, float] | None = None
        """The oldest due time that no turn has claimed, and since when (monotonic)."""

    def begin(self) -> None:
        """Bring the jobs that the code declares into their rows, before the first turn of a term.

        Raises:
            LeaseLost: another process took the lease meanwhile.
        """
        self._synced = sync(self.lease.using, self.lease)
        self._sync_at = monotonic() + SYNC_INTERVAL

    @property
    def error(self) -> str:
        """Return which declared jobs could not be synced, and why; empty if all could."""
        errors = self._synced.errors if self._synced else {}
        last_lines = {of: text.strip().rpartition("\n")[2] for of, text in errors.items()}
        return "; ".join(f"{of}: {line}" for of, line in last_lines.items())

    def turn(self) -> float:
        """Do what is to be done now, and write the results that have arrived.

        Returns:
            Seconds until the next turn is due, if nothing wakes the loop before.

        Raises:
            LeaseLost: stand by.
            OperationalError, InterfaceError: the database; nothing was started.
        """
        if monotonic() >= self._chores_at:
            self._chores()
        if self._elsewhere.is_full and monotonic() >= self._look_at:
            self._elsewhere = self.publications.elsewhere()
        now, capacity = self.clock.now(), self._capacity()
        seen = self._seen
        if seen is None or not seen.still_holds(capacity.executors) or monotonic() >= self._look_at:
            seen = self._look(capacity)
        if not seen.wants_turn(now):
            self.recorder.record()
            return seen.rest(now, self._look_at - monotonic())
        self._seen = None
        claimed = self._claim_and_start(seen)
        self._note_held(seen, now)
        if not claimed.progress:
            return seen.rest(now, conf().POLL_INTERVAL)
        self._seen = seen.after(claimed)
        return 0.0 if self._seen is None else seen.rest(now, self._look_at - monotonic())

    def rest(self) -> float:
        """Take a paused leader's turn: claim and start nothing, and do all other duties.

        Returns and raises what ``turn`` does.
        """
        if monotonic() >= self._chores_at:
            self._chores()
        if self._look(self._capacity()).resign_requested:  # which also delivers requests to cancel
            raise LeaseLost("asked to resign")
        return conf().POLL_INTERVAL

    def invalidate(self) -> None:
        """Forget the last poll, since the tables may have changed: the next turn polls again."""
        self._seen = None

    def _look(self, capacity: Capacity) -> Poll:
        self._look_at = monotonic() + conf().POLL_INTERVAL
        self._seen = seen = self.poller.poll(capacity.executors)
        self.next_due = seen.next_due
        if seen.cancelling:
            self.dispatcher.cancel(self.outcomes.cancel_requested())
        return seen

    def _claim_and_start(self, seen: Poll) -> ClaimResult:
        claimed = self._record_and_claim(seen)
        if claimed is None:
            self.recorder.record()
            try:
                claimed = self._fenced(self.claims.all, seen, [])
            except Exception as error:
                if isinstance(error, LeaseLost) or is_outage(error):
                    raise
                logger.exception("A turn failed; doing it again job by job")
                claimed = self._fenced(self.claims.one_by_one, seen, [])
        self.dispatcher.submit(claimed.started)
        self._publish(claimed.published)
        self._elsewhere.add(claimed.published)
        self.events.unrun(claimed.unrun)
        self.events.started(claimed.started)
        if self.lease.resign_requested:
            raise LeaseLost("asked to resign")
        return claimed

    def _record_and_claim(self, seen: Poll) -> ClaimResult | None:
        """Write results and claims with one commit. None: each is to be done by itself.

        Of what fails here, nothing is known to be at fault, and nothing was done.
        """
        if not (results := self.recorder.joinable()):
            return None
        try:
            return self._fenced(self.claims.all, seen, results)
        except Exception as error:
            if isinstance(error, LeaseLost) or (is_outage(error) and not is_lock_wait(error)):
                raise
            logger.debug("Results and claims could not be written together", exc_info=True)
            return None

    def _note_held(self, seen: Poll, now: datetime) -> None:
        """Log, once, a due job that each turn passes over since somebody holds its row."""
        due = seen.next_due if seen.is_due(now) and not self.claims.in_doubt else None
        if due is None or self._overdue is None or self._overdue[0] != due:
            self._overdue = None if due is None else (due, monotonic())
        elif monotonic() - self._overdue[1] >= HELD_AFTER:
            self._overdue = due, float("inf")
            jobs = Job._base_manager.using(self.lease.using).filter(next_run_time=due)
            logger.warning(
                "Job %r is due and cannot be claimed for %g s: another transaction holds its row. "
                "It starts when that one ends",
                jobs.values_list("id", flat=True).first(),
                HELD_AFTER,
            )

    def _fenced(self, claim: Claim, seen: Poll, results: list[Result]) -> ClaimResult:
        """Claim and start in one transaction, behind the fence. Nothing runs before the commit.

        Results are written in it first: they free instances of their jobs. They need no fence, and
        wait for the next turn if it finds the lease lost or the cluster paused.
        """
        try:
            with transaction_in_few_trips(self.lease.using):
                self.lease.hold_to_claim()
                recorded = self.recorder.join(results)
                if self.dispatcher.remote:  # workers end runs, and nobody tells us
                    self._elsewhere = self.publications.elsewhere()
                claimed = self._claimed(claim, seen, self._capacity([r.id for r in results]))
                self.lease.extend()
        except ClusterPaused:  # since the look: whoever paused it counts on it from now on
            return ClaimResult()
        recorded()
        return claimed

    def _claimed(self, claim: Claim, seen: Poll, capacity: Capacity) -> ClaimResult:
        claimed, now = ClaimResult(), self.clock.now()
        queued = seen.queued_for(now)
        if seen.rescheduled:
            replan(now, self.lease.using)
        if seen.rescheduled or seen.is_due(now):
            # What was queued before goes first; with an empty queue, what is due starts now.
            claimed = claim(now, self.dispatcher.executors, None if queued else capacity)
        claimed.take(self.queue.start(now, capacity, queued | claimed.queued_for))
        claimed.more = capacity.is_full
        return claimed

    def _capacity(self, ending: Collection[int] = ()) -> Capacity:
        return self.dispatcher.capacity(self._elsewhere, self.crashes.suspects, ending)

    def _chores(self) -> None:
        """Do what is done at the start of a term, and then with each renewal."""
        self._chores_at = monotonic() + conf().LEASE_RENEW
        self.invalidate()
        refused: list[Execution] = []
        repeated: list[Run] = []
        with transaction.atomic(using=self.lease.using):
            self.lease.hold()
            now = self.clock.now()
            lost = self.reconciler.mark_orphans_lost(now)
            self.crashes.judge(lost, now)
            self._elsewhere = self.publications.elsewhere()
            if self.dispatcher.remote:
                if self.dispatcher.broker_is_back():
                    self.publications.forget()
                repeated = self.publications.to_repeat(now)
            self.claims.in_doubt = self.reconciler.in_doubt()
            replan(now, self.lease.using)
            self.zone_rules.step(now)
            if monotonic() >= self._quarantine_at:
                self._quarantine_at = monotonic() + QUARANTINE_INTERVAL
                if self.quarantine.release(self.dispatcher.executors):
                    self._quarantine_at = 0.0  # the next page, with the next chores
                refused = self.reconciler.refuse_unknown_executors(self.dispatcher.executors, now)
                self.publications.take_back(self.dispatcher.remote)
                self.reconciler.forget_old_nodes(now)
            self.lease.extend()
        self._publish(repeated)
        self.events.lost(lost)
        self.events.refused(refused)
        self._sync_postponed()
        self.tallies.step(now)
        self.retention.step(now)
        self.events.housekeeping(self.lease.term)

    def _publish(self, runs: list[Run]) -> None:
        self.dispatcher.publish(runs)
        self.publications.handed_over(runs)

    def _sync_postponed(self) -> None:
        """Sync the declared jobs whose rows somebody held locked when the term began."""
        if self._synced and self._synced.postponed and monotonic() >= self._sync_at:
            sync_postponed(self.lease.using, self._synced, self.lease)
            self._sync_at = monotonic() + SYNC_INTERVAL
