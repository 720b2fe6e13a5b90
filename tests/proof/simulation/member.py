"""One scheduler, in steps: between any two of them the others act, or this one freezes or dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.engine.leadership.node import Observer

from .model import TTL, Database, Look, Transaction

MARGIN = 1.5
SLOTS = 2


@dataclass
class Member:
    """``monotonic`` is the machine's; a frozen member simply takes no step.

    ``trust_window``, ``reconcile``: take one away, and the simulation must find the hole.
    """

    id: int
    database: Database
    monotonic: Callable[[], float]
    started: list[tuple[int, int]]
    """All bodies that were ever called, by run, with who called them. Shared by all members."""
    trust_window: bool = True
    reconcile: bool = True
    held: bool = False
    term: int = 0
    trusted_until: float = 0.0
    seen: Look | None = None
    transaction: Transaction | None = None
    in_flight: dict[int, str] = field(default_factory=dict)
    """``handed``, ``body``, ``ended`` or ``refused``, by run."""
    terms: dict[int, int] = field(default_factory=dict)
    """Under which a run was handed over."""
    lease_observer: Observer = field(default_factory=Observer)
    nodes_observer: Observer = field(default_factory=Observer)

    def sign(self) -> None:
        self.database.sign(self.id)

    def look(self) -> None:
        self.seen = self.database.look()
        if self.seen.holder == self.id and not self.held:
            before = self.monotonic()
            if self.database.renew(self.id, self.seen.term):
                self._hold(self.seen.term, before)

    def may_take(self) -> bool:
        look = self.seen
        if look is None or self.held or self.database.locked_by is not None:
            return False
        silent = self.lease_observer.silent_for("lease", (look.holder, look.term, look.beat))
        return look.holder is None or look.expired or silent > TTL

    def take(self, heard: bool) -> None:
        look, self.seen, before = self.seen, None, self.monotonic()
        assert look is not None
        if self.database.take(self.id, look) and heard:
            self._hold(look.term + 1, before)
            self.nodes_observer = Observer()

    def renew(self, heard: bool, slowly: float, passes: Callable[[float], None]) -> None:
        before = self.monotonic()
        renewed = self.database.renew(self.id, self.term)
        passes(slowly)
        if not renewed:
            self._lose()
        elif heard:
            self._hold(self.term, before)

    def resign(self, heard: bool) -> None:
        self._lose()
        self.database.release(self.id, self.term)

    def begin(self) -> None:
        self.transaction = self.database.hold(self.id, self.term)
        if self.transaction is None:
            self._lose()

    def plan(self) -> None:
        assert self.transaction is not None
        busy = sum(state != "ended" for state in self.in_flight.values())
        self.database.plan(self.transaction, SLOTS - busy)

    def judge(self) -> None:
        """The chores: whose heartbeat has not changed for the lease's TTL."""
        assert self.transaction is not None
        if not self.reconcile:
            return
        for node in {run.node for run in self.database.runs if run.status == "running"}:
            if node is None or node == self.id:
                continue
            if self.nodes_observer.silent_for(node, self.database.signs.get(node)) > TTL:
                self.database.lose(self.transaction, node)

    def commit(self, reply: str) -> None:
        """``heard``; ``lost``: done, unheard; ``late``: done some time later, unheard."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        if reply == "late":
            self.database.orphans.append(transaction)
            return
        started = self.database.commit(transaction)
        if reply == "heard":
            self.in_flight |= dict.fromkeys(started, "handed")
            self.terms |= dict.fromkeys(started, transaction.term)
        else:
            self.nodes_observer.forget()
            self.lease_observer.forget()

    def thrown_out(self) -> None:
        """The server ends a session that idles in its transaction."""
        assert self.transaction is not None
        self.database.rollback(self.transaction)
        self.transaction = None

    def call(self, id: int) -> None:
        """An executor takes what it was handed."""
        if self.trust_window and not self._trusted(self.terms[id]):
            self.in_flight[id] = "refused"
            return
        self.started.append((id, self.id))
        self.in_flight[id] = "body"

    def end(self, id: int) -> None:
        self.in_flight[id] = "ended"

    def record(self, heard: bool) -> None:
        for id, state in list(self.in_flight.items()):
            if state == "ended":
                self.database.finish(self.id, id)
            elif state == "refused":
                self.database.give_back(self.id, id)
            if heard and state in ("ended", "refused"):
                del self.in_flight[id]

    def recover(self) -> None:
        """What a commit started whose reply never came."""
        for id in self.database.running(self.id) - self.in_flight.keys():
            self.database.give_back(self.id, id)

    def _trusted(self, term: int) -> bool:
        return self.held and self.term == term and self.monotonic() < self.trusted_until

    def _hold(self, term: int, before: float) -> None:
        self.held, self.term, self.trusted_until = True, term, before + TTL - MARGIN

    def _lose(self) -> None:
        self.held, self.trusted_until = False, 0.0
