"""The database: what its rows say, and what each statement of the engine does to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.interval import IntervalTrigger
from scheduler.engine.ledger.planner import plan

TTL = 6.0
EPOCH = datetime(2031, 5, 1, tzinfo=UTC)
TRIGGER = IntervalTrigger(seconds=1, start_date=EPOCH, timezone=UTC)
CLOSED = {"succeeded", "lost", "skipped", "missed"}


@dataclass
class Run:
    """A row of the ledger."""

    slot: datetime
    attempt: int = 1
    slots: int = 1
    status: str = "queued"
    node: int | None = None
    term: int = 0


@dataclass(frozen=True)
class Look:
    """What a standby read."""

    holder: int | None
    term: int
    beat: int
    expired: bool


@dataclass
class Transaction:
    """A claim that holds the lock of the lease's row; nothing of it is seen before its commit."""

    node: int
    term: int
    planned: list[Run] = field(default_factory=list)
    advanced: datetime | None = None
    started: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


@dataclass
class Database:
    """``fence``, ``unique_key``: take one away, and the simulation must find the hole."""

    fence: bool = True
    unique_key: bool = True
    retries: bool = False
    """The job says that it may run again when its process died."""
    clock: float = 0.0
    holder: int | None = None
    term: int = 0
    beat: int = 0
    expires: float = 0.0
    locked_by: Transaction | None = None
    orphans: list[Transaction] = field(default_factory=list)
    """Transactions whose commit is on its way while their sender has given up waiting."""
    next_run_time: datetime = EPOCH
    runs: list[Run] = field(default_factory=list)
    signs: dict[int, int] = field(default_factory=dict)
    claims: list[int] = field(default_factory=list)
    """Terms of the committed claims, in order."""

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.clock)

    def look(self) -> Look:
        return Look(self.holder, self.term, self.beat, self.expires <= self.clock)

    def take(self, node: int, look: Look) -> bool:
        """One UPDATE that names what was read."""
        if (self.holder, self.term, self.beat) != (look.holder, look.term, look.beat):
            return False
        self.holder, self.term = node, self.term + 1
        self._renewed()
        return True

    def renew(self, node: int, term: int) -> bool:
        if (self.holder, self.term) != (node, term):
            return False
        self._renewed()
        return True

    def release(self, node: int, term: int) -> bool:
        if (self.holder, self.term) != (node, term):
            return False
        self.holder, self.expires = None, self.clock
        return True

    def sign(self, node: int) -> None:
        self.signs[node] = self.signs.get(node, 0) + 1

    def hold(self, node: int, term: int) -> Transaction | None:
        """The fence: lock the row where holder and term match."""
        if not self.fence:
            return Transaction(node, term)
        if (self.holder, self.term) != (node, term):
            return None
        assert self.locked_by is None
        self.locked_by = Transaction(node, term)
        return self.locked_by

    def plan(self, transaction: Transaction, free: int) -> None:
        """Claim what is due, and start as much as has room."""
        first = self._pass_over()
        if first <= self.now:
            due = plan(
                TRIGGER,
                first,
                self.now,
                coalesce=False,
                misfire_grace_time=None,
                refusal="",
                catch_up_limit=3,
            )
            transaction.planned = [
                *(Run(s.first, slots=s.count, status=str(s.status)) for s in due.stretches),
                *(Run(slot) for slot in due.slots),
            ]
            transaction.advanced = due.next_run_time
        waiting = [id for id, run in enumerate(self.runs) if run.status == "queued"]
        fresh = range(len(self.runs), len(self.runs) + len(transaction.planned))
        transaction.started = [*waiting, *fresh][:free]

    def lose(self, transaction: Transaction, node: int) -> None:
        """Reconcile: the runs of a node that is judged dead."""
        transaction.lost += [id for id, run in enumerate(self.runs) if run.node == node]

    def commit(self, transaction: Transaction) -> list[int]:
        """Returns the runs that were started."""
        if self.locked_by is transaction:
            self.locked_by = None
        for id in transaction.lost:
            self._mark_lost(self.runs[id])
        started = self._insert(transaction)
        for id in started:
            run = self.runs[id]
            run.status, run.node, run.term = "running", transaction.node, transaction.term
        if started or transaction.planned:
            self.claims.append(transaction.term)
        return started

    def rollback(self, transaction: Transaction) -> None:
        if self.locked_by is transaction:
            self.locked_by = None

    def finish(self, node: int, id: int) -> bool:
        """Writes only what this node runs."""
        run = self.runs[id]
        if (run.status, run.node) != ("running", node):
            return False
        run.status = "succeeded"
        return True

    def give_back(self, node: int, id: int) -> None:
        run = self.runs[id]
        if (run.status, run.node) == ("running", node):
            run.status, run.node = "queued", None

    def running(self, node: int) -> set[int]:
        return {
            id for id, run in enumerate(self.runs) if (run.status, run.node) == ("running", node)
        }

    def _renewed(self) -> None:
        self.beat, self.expires = self.beat + 1, self.clock + TTL

    def _pass_over(self) -> datetime:
        """The first slot that the ledger does not hold, if somebody set the job back to one."""
        held = {run.slot: run.slots for run in self.runs if run.slot >= self.next_run_time}
        if not self.unique_key or self.next_run_time not in held:
            return self.next_run_time
        return max(slot + timedelta(seconds=count) for slot, count in held.items())

    def _insert(self, transaction: Transaction) -> list[int]:
        """The rows of a claim; a slot that is there already is passed over, if the key is."""
        ids = list(range(len(self.runs)))
        for run in transaction.planned:
            there = [
                known for known, row in enumerate(self.runs)
                if (row.slot, row.attempt) == (run.slot, run.attempt)
            ]  # fmt: skip
            if there and self.unique_key:
                ids.append(-1)
            else:
                ids.append(len(self.runs))
                self.runs.append(run)
        if transaction.advanced is not None:
            self.next_run_time = transaction.advanced
        started = [ids[id] for id in transaction.started]
        return [id for id in started if id >= 0 and self.runs[id].status == "queued"]

    def _mark_lost(self, run: Run) -> None:
        if run.status != "running":
            return
        run.status = "lost"
        if self.retries and run.attempt < 3:
            again = Run(run.slot, run.attempt + 1)
            if all((r.slot, r.attempt) != (again.slot, again.attempt) for r in self.runs):
                self.runs.append(again)
