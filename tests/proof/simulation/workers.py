"""A leader that publishes, messages that may do anything, and workers that claim, freeze and die.

Which leader it is does not matter here, so there is one; ``machine`` has what leaders do to each
other. The statements of publishing and claiming are modelled as they are in ``engine/ledger``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

TTL, MARGIN, REPUBLISH_AFTER = 30.0, 7.5, 60.0
MAX_INSTANCES = 1
ENDED = {"succeeded", "lost"}


@dataclass
class Row:
    """An execution of the one job."""

    status: str = "queued"
    publication: int = 0
    published_at: float | None = None
    due: float = 0.0
    node: int | None = None
    bodies: int = 0
    """Times that its function was called."""


@dataclass
class Worker:
    """A process: its sign of life, and what it has claimed."""

    id: int
    beat: float
    claimed: dict[int, float] = field(default_factory=dict)
    """Rows whose body has not begun, with the moment before the claim was sent."""
    running: set[int] = field(default_factory=set)


class Workers(RuleBasedStateMachine):
    """Subclasses take away one defence."""

    publication_number = claims_queued_only = counts_published = looks_at_its_age = True

    def __init__(self) -> None:
        super().__init__()
        self.time, self.born = 0.0, 2
        self.rows: list[Row] = []
        self.messages: list[tuple[int, int]] = []
        self.workers = [Worker(0, 0.0), Worker(1, 0.0)]

    @rule(seconds=st.sampled_from([1.0, 10.0, 20.0, 65.0]))
    def time_passes(self, seconds: float) -> None:
        self.time += seconds
        for worker in self.workers:
            worker.beat = self.time

    @rule()
    def a_run_is_requested(self) -> None:
        if len(self.rows) < 12:
            self.rows.append(Row())

    @rule(sent=st.booleans())
    def the_leader_publishes(self, sent: bool) -> None:
        """As many as max_instances allows. Its message is lost where the leader dies before."""
        taken = sum(row.status == "running" for row in self.rows)
        if self.counts_published:
            taken += sum(self._is_unclaimed(row) for row in self.rows)
        for id, row in enumerate(self.rows):
            waits = row.status == "queued" and row.published_at is None and row.due <= self.time
            if waits and taken < MAX_INSTANCES:
                row.publication, row.published_at = row.publication + 1, self.time
                taken += 1
                if sent:
                    self.messages.append((id, row.publication))

    @rule()
    def the_leader_repeats(self) -> None:
        for id, row in enumerate(self.rows):
            old = row.published_at is not None and self.time - row.published_at >= REPUBLISH_AFTER
            if self._is_unclaimed(row) and old:
                self.messages.append((id, row.publication))

    @precondition(lambda self: any(map(Workers._is_unclaimed, self.rows)))
    @rule(choice=st.data())
    def one_is_taken_back(self, choice: st.DataObject) -> None:
        """As by a worker that does not know its function: it waits a while."""
        ids = [id for id, row in enumerate(self.rows) if self._is_unclaimed(row)]
        row = self.rows[choice.draw(st.sampled_from(ids))]
        row.published_at, row.due = None, self.time + 10

    @precondition(lambda self: self.messages)
    @rule(choice=st.data(), kept=st.booleans(), who=st.integers(0, 1))
    def a_message_arrives(self, choice: st.DataObject, kept: bool, who: int) -> None:
        """In any order; one that is kept comes once more."""
        message = choice.draw(st.sampled_from(self.messages))
        if not kept:
            self.messages.remove(message)
        self._claim(self.workers[who], *message)

    @rule()
    def the_broker_loses_everything(self) -> None:
        self.messages.clear()

    @rule(who=st.integers(0, 1))
    def begins(self, who: int) -> None:
        worker = self.workers[who]
        for id, at in list(worker.claimed.items()):
            del worker.claimed[id]
            if self.looks_at_its_age and self.time - at >= TTL - MARGIN:
                self._give_back(worker, id)
            else:
                row = self.rows[id]
                assert (row.status, row.node) == ("running", worker.id), "a body nobody owns"
                row.bodies += 1
                worker.running.add(id)

    @rule(who=st.integers(0, 1))
    def ends(self, who: int) -> None:
        worker = self.workers[who]
        for id in worker.running:
            if (self.rows[id].status, self.rows[id].node) == ("running", worker.id):
                self.rows[id].status = "succeeded"
        worker.running.clear()

    @rule(who=st.integers(0, 1), frozen=st.booleans())
    def is_frozen_or_killed(self, who: int, frozen: bool) -> None:
        """Long enough for the leader to judge; a frozen one wakes with what it had."""
        worker = self.workers[who]
        self.time += TTL + 1
        for other in self.workers:
            other.beat = self.time if other is not worker else worker.beat
        for row in self.rows:
            if (row.status, row.node) == ("running", worker.id):
                row.status = "lost"
        if not frozen:
            self.workers[who] = Worker(self.born, self.time)
            self.born += 1

    @invariant()
    def no_row_is_run_twice(self) -> None:
        assert all(row.bodies <= 1 for row in self.rows), "run twice"

    @invariant()
    def no_more_instances_run_than_may(self) -> None:
        running = Counter(row.status for row in self.rows)["running"]
        assert running <= MAX_INSTANCES, f"{running} instances run"

    def teardown(self) -> None:
        """Everything heals, and each run that was asked for must find its outcome."""
        for _ in range(30):
            self.the_leader_publishes(False)
            self.time_passes(65.0)
            self.the_leader_repeats()
            while self.messages:
                self._claim(self.workers[0], *self.messages.pop())
            self.begins(0)
            self.begins(1)
            self.ends(0)
            self.ends(1)
            self.no_row_is_run_twice()
        left = [row for row in self.rows if row.status not in ENDED]
        assert not left, f"never ended: {left}"

    def _claim(self, worker: Worker, id: int, publication: int) -> None:
        """One UPDATE that names what the message said."""
        row = self.rows[id]
        if self.publication_number and (row.publication != publication or row.published_at is None):
            return
        if self.claims_queued_only and row.status != "queued":
            return
        row.status, row.node = "running", worker.id
        worker.claimed[id] = self.time

    def _give_back(self, worker: Worker, id: int) -> None:
        row = self.rows[id]
        if (row.status, row.node) == ("running", worker.id):
            row.status, row.node, row.published_at = "queued", None, None

    @staticmethod
    def _is_unclaimed(row: Row) -> bool:
        return row.status == "queued" and row.published_at is not None
