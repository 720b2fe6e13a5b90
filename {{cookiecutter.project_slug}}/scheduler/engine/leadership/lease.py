"""The lease: the argument first, then the statements.

**Claim.** At any moment at most one process can claim runs, whatever the clocks, pauses and
connections do.

There is one row. Its ``term`` only grows; should somebody delete the row, or restore an old one,
the next term follows the last one that ``Term`` records. To become leader is one
conditional UPDATE that names what was read (holder, term, beat) and sets ``term + 1``: of any
number of rivals who read the same row, one changes it and the others change nothing (row count 0).

Every claim runs in a transaction that first locks this row where holder and term are still ours
(``hold``). A thief needs the same row lock. So either our claim commits before the theft, or we
find the row changed, claim nothing, and stand by. No clock takes part in this: it is exact.

**When may it be taken?** If it is free; if the database's clock says that it expired; if we have
read it unchanged for its TTL on our own monotonic clock (a database clock set back blocks nobody);
if this host proves that the holder's process is gone. A wrong answer to this question costs a
needless change of leader, never a double claim. A leader whose transaction outlasts its lease moves
the expiry on before it commits (``extend``): nobody else can have taken the row meanwhile.

**Bodies** run outside the transaction. They may start while ``trusted()``: the monotonic time
*before* the last successful renewal, plus the TTL, less a margin. A process that was frozen finds
that time gone when it wakes, and starts nothing.

**Outcomes of a statement.** Row count 1: done. Row count 0: lost, at once an ordinary standby. An
exception: unknown. Unknown never counts as won; the next look finds out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, QuerySet

from ... import codeversion
from ...conf import conf
from ...db.clock import DbNow, monotonic
from ...db.prepared import Param, PreparedQuery
from ...models import Lease, Node, Term
from ...models.term import Cause
from .node import Observer, Self, is_gone

logger = logging.getLogger("scheduler.lease")


class LeaseLost(Exception):
    """Somebody else holds the lease: stand by."""


class ClusterPaused(Exception):
    """Somebody paused the cluster: claim nothing."""


class ForeignProject(Exception):
    """The tables belong to another project."""


@dataclass(frozen=True)
class Look:
    """What a standby read: the row, and the database's clock in the same statement."""

    row: Lease
    now: datetime


class LeaseHolder:
    """Holds the lease, or tries to, for one process."""

    def __init__(self, node: Self) -> None:
        self.node = node
        self.using = node.using
        self.term = 0
        self.held = False
        self._last_term = 0
        """The highest term that this process has seen."""
        self.resign_requested = False
        self.paused = False
        self._renewed = self._trusted_until = 0.0
        self._observer = Observer()
        self._holder: Node | None = None
        self._lock = PreparedQuery(self.using, self._locked)

    def trusted(self, term: int) -> bool:
        """Return whether a job function of that term may start now: no successor can exist yet.

        Safe from any thread. A term that was lost is not trusted when another one is won: somebody
        led in between, and has judged what was running.
        """
        return self.held and self.term == term and monotonic() < self._trusted_until

    def acquire(self) -> bool:
        """Look at the lease once, and take it if it may be taken.

        One read while somebody else leads.

        Returns:
            Whether this process holds the lease.

        Raises:
            ForeignProject: the tables belong to another project.
        """
        before = monotonic()
        look = self._look()
        if look.row.holder == self.node.id and self._has_begun(look.row.term):
            self._hold(look.row.term, before)  # our own commit, whose reply was lost
            return self.renew()
        cause = self._cause(look)
        return cause is not None and self._take(look, cause)

    def renew(self) -> bool:
        """Move the expiry on.

        Returns:
            Whether the lease is still held.
        """
        before = monotonic()
        renewed = self._move_on()
        if renewed:
            self._hold(self.term, before)
        else:
            self.lose()
        return bool(renewed)

    def extend(self) -> None:
        """Move the expiry on in the transaction that holds the row, if it has taken long.

        Two processes race here on a slow database: a leader whose transaction outlasts its lease,
        and a standby that waits for the row and would find it expired. They would take it from each
        other for ever, and neither would get any further. What is trusted stays as it is: nobody
        knows yet whether this commits.
        """
        if monotonic() > self._renewed + conf().LEASE_RENEW:
            self._move_on()

    def hold(self) -> None:
        """Lock the row for the rest of the transaction: the fence before every claim.

        Raises:
            LeaseLost: holder or term is no longer ours.
        """
        self._held(self._lock.rows(holder=self.node.id, term=self.term))

    def hold_to_claim(self) -> None:
        """Lock it with the next statement that is waited for, which then raises.

        Raises:
            LeaseLost, ClusterPaused: nothing may be claimed. Whatever was sent along is undone.
        """
        self._lock.later(self._held_to_claim, holder=self.node.id, term=self.term)

    def release(self) -> bool:
        """Give the lease up, so that a standby need not wait for the expiry. May be called again.

        Returns:
            Whether it was still held.
        """
        self.lose()  # first: whatever becomes of the statement, nothing starts any more
        with transaction.atomic(using=self.using):
            released = self._mine().update(
                holder=None, renewed_at=DbNow(), expires_at=DbNow(), resign_requested=False
            )
            if released:
                terms = Term._base_manager.using(self.using).filter(term=self.term)
                terms.update(ended_at=DbNow())
        return bool(released)

    def lose(self) -> None:
        """Hold and trust the lease no longer; its row stays as it is."""
        self.held = False
        self._trusted_until = 0.0

    def forget(self) -> None:
        """Forget how long the holder was silent: in an outage nobody could be heard."""
        self._observer.forget()

    def _look(self) -> Look:
        rows = Lease._base_manager.using(self.using).filter(pk=1).annotate(now=DbNow())
        row = rows.first()
        if row is None:
            # Deleted, or lost in a restore. Of two that find it gone, one inserts it; the old
            # leader's claims are fenced by a row that no longer names it.
            new = Lease(pk=1, term=self._terms_begun(0))
            Lease._base_manager.using(self.using).bulk_create([new], ignore_conflicts=True)
            if new.term:
                logger.error("The lease's row was gone: made anew after term %d", new.term)
            row = rows.get()
        self._last_term = max(self._last_term, row.term)
        if row.project not in ("", conf().NAME):
            raise ForeignProject(
                f"The scheduler's tables in database {self.using!r} belong to the project "
                f"{row.project!r}, and APSCHEDULER_NAME here is {conf().NAME!r}. Two projects "
                "cannot share them: give this project a database of its own, or, if it was "
                "renamed, set APSCHEDULER_NAME back or update scheduler_lease.project."
            )
        return Look(row, row.now)

    def _has_begun(self, term: int) -> bool:
        """Return whether this process began that term; else somebody has edited the lease's row."""
        terms = Term._base_manager.using(self.using).filter(term=term, node_id=self.node.id)
        return term >= self._last_term and terms.exists()

    def _cause(self, look: Look) -> Cause | None:
        row = look.row
        if row.holder == self.node.id:
            return Cause.RELEASED
        if row.holder is None:
            return Cause.FIRST if row.term == 0 else Cause.RELEASED
        if row.expires_at is None or row.expires_at <= look.now:
            return Cause.EXPIRED
        if self._observer.silent_for("lease", (row.holder, row.term, row.beat)) > conf().LEASE_TTL:
            return Cause.UNCHANGED
        holder = self._holder_row(row.holder)
        if holder is not None and is_gone(holder):
            return Cause.PROCESS_GONE
        return None

    def _holder_row(self, holder: UUID) -> Node | None:
        if self._holder is None or self._holder.id != holder:
            self._holder = Node._base_manager.using(self.using).filter(id=holder).first()
        return self._holder

    def _take(self, look: Look, cause: Cause) -> bool:
        """Take the lease, unless another standby that read the same row has changed it by now."""
        before, row = monotonic(), look.row
        term = self._terms_begun(row.term) + 1
        with transaction.atomic(using=self.using):
            taken = (
                Lease._base_manager.using(self.using)
                .filter(pk=1, holder=row.holder, term=row.term, beat=row.beat)
                .update(
                    holder=self.node.id,
                    project=conf().NAME,
                    term=term,
                    beat=F("beat") + 1,
                    acquired_at=DbNow(),
                    renewed_at=DbNow(),
                    expires_at=DbNow() + _ttl(),
                    resign_requested=False,
                )
            )
            if taken:
                self._begin_term(look, cause, term)
        if taken:
            self._hold(term, before)
        return bool(taken)

    def _terms_begun(self, term: int) -> int:
        """Return the last term that anybody began: a restored row may name an older one."""
        last = Term._base_manager.using(self.using).aggregate(last=Max("term"))["last"]
        return max(term, last or 0, self._last_term)

    def _begin_term(self, look: Look, cause: Cause, term: int) -> None:
        terms = Term._base_manager.using(self.using)
        terms.filter(term__lt=term, ended_at=None).update(ended_at=DbNow())
        last_sign = look.row.renewed_at
        terms.create(
            term=term,
            node_id=self.node.id,
            host=self.node.host,
            pid=self.node.pid,
            code=codeversion.digest(),
            cause=cause,
            acquired_at=DbNow(),
            gap=(look.now - last_sign).total_seconds() if last_sign else None,
        )

    def _hold(self, term: int, before: float) -> None:
        self.term = term
        self._last_term = max(self._last_term, term)
        self._renewed = before
        self._trusted_until = before + conf().LEASE_TTL - conf().LEASE_MARGIN
        self.held = True

    def _held(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            self.lose()
            raise LeaseLost
        ((self.resign_requested, paused_at),) = rows
        self.paused = paused_at is not None

    def _held_to_claim(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._held(rows)
        if self.paused:
            raise ClusterPaused

    def _move_on(self) -> int:
        return self._mine().update(
            beat=F("beat") + 1, renewed_at=DbNow(), expires_at=DbNow() + _ttl()
        )

    def _mine(self) -> QuerySet[Lease]:
        return Lease._base_manager.using(self.using).filter(
            pk=1, holder=self.node.id, term=self.term
        )

    def _locked(self) -> QuerySet[Lease, Any]:
        holder, term = (Param(name, Lease._meta.get_field(name)) for name in ("holder", "term"))
        rows = Lease._base_manager.using(self.using).filter(pk=1, holder=holder, term=term)
        return rows.select_for_update().values_list("resign_requested", "paused_at")


def _ttl() -> timedelta:
    return timedelta(seconds=conf().LEASE_TTL)
