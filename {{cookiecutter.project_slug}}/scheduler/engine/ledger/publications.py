"""Runs of the workers: the leader publishes a queued row, and any worker may claim it.

A published row stays in the queue, and a message says no more than "look at execution N,
publication P". So a message may be lost, come late or twice, or be purged with its broker: a claim
is one conditional statement, and what nobody claims is published again.

Every method that writes runs in the leader's transaction, behind ``LeaseHolder.hold``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, QuerySet

from ...db.clock import monotonic
from ...db.connection import skips_locked
from ...models import Execution
from ...models.execution import Status
from ..executors.runner import COLUMNS, Run
from ..leadership.lease import LeaseHolder

MAX_UNCLAIMED = 1000
"""Runs that are published and not claimed: the rest waits in the ledger, where it has an order."""
REPUBLISH_AFTER, REPUBLISH_AT_MOST = 60.0, 600.0
"""Seconds after which an unclaimed run is published again, doubled each time up to the second."""
LOOK_INTERVAL = 5.0
"""Seconds between two looks for such runs."""


@dataclass
class Elsewhere:
    """Runs that take a place and are not in this process's hands."""

    instances: Counter[UUID] = field(default_factory=Counter)
    """Of each job, by uid: running on other nodes, or published."""
    unclaimed: Counter[str] = field(default_factory=Counter)
    """Published and not claimed, by executor."""

    @property
    def is_full(self) -> bool:
        """Return whether nothing more may be published for some executor."""
        return any(count >= MAX_UNCLAIMED for count in self.unclaimed.values())

    def add(self, published: Iterable[Run]) -> None:
        """Count runs that were published since these were counted."""
        for run in published:
            self.instances[run.job_uid] += 1
            self.unclaimed[run.executor] += 1


class Publications:
    """The leader's view of what is published. One object for each term."""

    def __init__(self, lease: LeaseHolder) -> None:
        self.lease = lease
        self.using = lease.using
        self._look_at = 0.0
        self._is_in_doubt = False
        self._intervals: dict[tuple[int, int], tuple[float, float]] = {}
        """By id and publication: seconds until it is published again, and since when."""
        self._handed_over: dict[int, int] = {}
        """The last publication of each run that the publisher has got, the newest ones."""

    def elsewhere(self) -> Elsewhere:
        """Count them in one statement: between two, a worker's claim could be missed by both.

        A worker that claims moves its row from one part to the other, and only the leader adds to
        their sum, so what is counted here can later be too high, never too low.
        """
        found = Elsewhere()
        running = self._all().filter(status=Status.RUNNING).exclude(node_id=self.lease.node.id)
        columns = "job_uid", "executor", "status"
        rows = _counted(running, columns).union(_counted(self._unclaimed(), columns), all=True)
        # Django 6.1 sorts a union by its model's Meta, whose columns are not in this one.
        for uid, executor, status, count in rows.order_by():
            found.instances[uid] += count
            if status == Status.QUEUED:
                found.unclaimed[executor] += count
        return found

    def mark(self, runs: list[Run], now: datetime) -> None:
        """Mark queued rows, locked by the caller, as published; the message follows the commit."""
        if not runs:
            return
        self._all().filter(id__in=[run.id for run in runs]).update(
            publication=F("publication") + 1, published_at=now, term=self.lease.term
        )
        for run in runs:
            run.publication, run.term = run.publication + 1, self.lease.term

    def to_repeat(self, now: datetime) -> list[Run]:
        """Return the runs whose message may be lost, to be sent once more.

        The publication stays as it is: of two messages, whichever comes first may claim. What an
        earlier leader published is repeated at once: its last messages may have died with it.
        """
        if monotonic() < self._look_at:
            return []
        self._look_at = monotonic() + LOOK_INTERVAL
        old = now - timedelta(seconds=REPUBLISH_AFTER)
        unclaimed = self._unclaimed()
        lost = unclaimed.filter(published_at__lte=old) | unclaimed.exclude(term=self.lease.term)
        in_doubt, self._is_in_doubt = self._is_in_doubt, False
        rows = unclaimed if in_doubt else lost
        values = rows.order_by("published_at", "id").values_list(*COLUMNS)[:MAX_UNCLAIMED]
        runs = [Run(**dict(zip(COLUMNS, row, strict=True))) for row in values]
        if in_doubt:
            return [run for run in runs if self._handed_over.get(run.id) != run.publication]
        known = {(run.id, run.publication) for run in runs}
        self._intervals = {key: at for key, at in self._intervals.items() if key in known}
        return [run for run in runs if self._is_due(run)]

    def handed_over(self, runs: Iterable[Run]) -> None:
        """Note that the publisher has got their messages."""
        self._handed_over |= {run.id: run.publication for run in runs}
        while len(self._handed_over) > 2 * MAX_UNCLAIMED:
            del self._handed_over[next(iter(self._handed_over))]

    def doubt(self) -> None:
        """Let the next look find what is published and was never handed over.

        An outage may have cost the reply to a commit. What was handed over is not repeated: short
        outages, one after the other, would flood a broker that lost nothing.
        """
        self._look_at, self._is_in_doubt = 0.0, True

    def forget(self) -> None:
        """Let the next look repeat all that is published: the broker may have lost it."""
        self.doubt()
        self._handed_over.clear()
        self._intervals.clear()

    def take_back(self, remote: Collection[str]) -> int:
        """Take back what is published for executors that are not (any more) among ``remote``.

        Its messages claim nothing from now on, since it has no time of publication, and the next
        publication another number.
        """
        foreign = self._unclaimed().exclude(executor__in=remote)
        # What a user's transaction holds is taken back later: it must not keep the leader waiting.
        free = foreign.select_for_update(skip_locked=skips_locked(self.using))
        ids = list(free.values_list("id", flat=True)[:MAX_UNCLAIMED])
        return foreign.filter(id__in=ids).update(published_at=None, term=None) if ids else 0

    def _is_due(self, run: Run) -> bool:
        key, now = (run.id, run.publication), monotonic()
        interval, since = self._intervals.get(key, (0.0, now))
        if now - since < interval:
            return False
        longer = min(interval * 2 or REPUBLISH_AFTER, REPUBLISH_AT_MOST)
        self._intervals[key] = longer, now
        return True

    def _unclaimed(self) -> QuerySet[Execution]:
        return self._all().filter(status=Status.QUEUED, published_at__isnull=False)

    def _all(self) -> QuerySet[Execution]:
        return Execution._base_manager.using(self.using)


def _counted(rows: QuerySet[Execution], columns: tuple[str, ...]) -> QuerySet[Execution, tuple]:
    return rows.order_by().values_list(*columns).annotate(Count("id"))
