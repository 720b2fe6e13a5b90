"""Any order of steps of any number of members, with clocks set, replies lost and processes killed.

At the end everything heals, and every slot that was owed must find its outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from .member import Member
from .model import CLOSED, EPOCH, Database

WHO = st.integers(0, 2)
HEARD = st.sampled_from([True, True, True, False])
SLOW = st.sampled_from([0.0, 0.0, 3.0, 7.0])
Step = Callable[[st.DataObject], None]


class Schedulers(RuleBasedStateMachine):
    """Subclasses take away one defence."""

    members_are: dict[str, bool] = {}
    database_is: dict[str, bool] = {}

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.database = Database(**self.database_is)
        self.started: list[tuple[int, int]] = []
        self.born = 0
        self.seam = patch("scheduler.engine.leadership.node.monotonic", lambda: self.time)
        self.seam.start()
        self.members = [self._member() for _ in range(3)]

    @initialize(retries=st.booleans())
    def job(self, retries: bool) -> None:
        self.database.retries = retries

    @rule(seconds=st.sampled_from([0.2, 1.0, 1.5, 2.5, 7.0]))
    def time_passes(self, seconds: float) -> None:
        self.time += seconds
        self.database.clock += seconds

    @rule(seconds=st.sampled_from([-20.0, -5.0, 5.0, 20.0]))
    def the_databases_clock_is_set(self, seconds: float) -> None:
        self.database.clock = max(self.database.clock + seconds, 0.0)

    @rule(slots=st.integers(1, 5))
    def a_stale_row_is_saved(self, slots: int) -> None:
        """A user saves a job as it was read some time ago, its next run time with it."""
        if self.database.locked_by is not None:  # the row is locked as well: the save waits
            return
        back = self.database.next_run_time - timedelta(seconds=slots)
        self.database.next_run_time = max(back, EPOCH)

    @rule(who=WHO, calls=st.booleans())
    def turns(self, who: int, calls: bool) -> None:
        """A whole turn that nobody interrupts, as nearly all are; perhaps without the bodies."""
        self._turn(self.members[who])
        if calls:
            self._work(self.members[who])

    @rule(who=WHO)
    def is_frozen(self, who: int) -> None:
        """Beyond the lease, and long enough for the others to judge."""
        for _ in range(9):
            self.time_passes(1.5)
            for member in self.members:
                if member is not self.members[who]:
                    self._turn(member)
                    self._work(member)

    @rule(choice=st.data())
    def steps(self, choice: st.DataObject) -> None:
        """One step of one member, in the middle of a turn."""
        possible = [
            (f"{member.id} {name}", step)
            for member in self.members
            for name, step in self._steps_of(member)
        ]
        _, step = choice.draw(st.sampled_from(possible), label="step")
        step(choice)

    @rule(who=WHO)
    def is_killed(self, who: int) -> None:
        if (transaction := self.members[who].transaction) is not None:
            self.database.rollback(transaction)
        self.members[who] = self._member()

    @precondition(lambda self: self.database.orphans)
    @rule(done=st.booleans())
    def a_late_commit_arrives(self, done: bool) -> None:
        orphan = self.database.orphans.pop(0)
        if done:
            self.database.commit(orphan)
        else:
            self.database.rollback(orphan)

    @invariant()
    def no_run_is_started_twice(self) -> None:
        twice = [id for id, count in Counter(id for id, _ in self.started).items() if count > 1]
        assert not twice, f"started twice: {twice}"

    @invariant()
    def no_slot_is_run_twice_unless_it_may_be(self) -> None:
        of = Counter((self.database.runs[id].slot, self.database.runs[id].attempt)
                     for id, _ in self.started)  # fmt: skip
        assert not [key for key, count in of.items() if count > 1], "a slot was run twice"

    @invariant()
    def no_claim_of_an_older_term_follows_one_of_a_newer(self) -> None:
        claims = self.database.claims
        assert claims == sorted(claims), f"terms of claims: {claims}"

    def teardown(self) -> None:
        try:
            self._heal()
            self._every_owed_slot_has_its_outcome()
        finally:
            self.seam.stop()

    def _heal(self) -> None:
        for orphan in self.database.orphans:
            self.database.commit(orphan)
        for _ in range(60):
            self.time_passes(1.0)
            for member in self.members:
                self._turn(member)
                self._work(member)
                self.no_run_is_started_twice()
                self.no_slot_is_run_twice_unless_it_may_be()

    def _turn(self, member: Member) -> None:
        if member.transaction is None:
            member.sign()
            member.recover()
            member.record(heard=True)
            if self.database.locked_by is None:
                self._lead_or_look(member)
        if member.transaction is not None:
            member.judge()
            member.plan()
            member.commit("heard")

    def _work(self, member: Member) -> None:
        for id, state in list(member.in_flight.items()):
            if state == "handed":
                self._call(member, id)
            if member.in_flight[id] == "body":
                member.end(id)

    def _lead_or_look(self, member: Member) -> None:
        if member.held:
            member.renew(True, 0.0, self.time_passes)
        else:
            member.look()
            if member.may_take():
                member.take(heard=True)
        if member.held:
            member.begin()

    def _steps_of(self, member: Member) -> list[tuple[str, Step]]:
        """What the member may do next. What is not offered waits for a lock, or for its turn."""
        states = {state: id for id, state in reversed(member.in_flight.items())}
        free = self.database.locked_by is None
        steps: list[tuple[str, Step]] = []
        if "handed" in states:
            steps.append(("calls a body", lambda _: self._call(member, states["handed"])))
        if "body" in states:
            steps.append(("ends a body", lambda _: member.end(states["body"])))
        if member.transaction is not None:
            steps.append(("commits", lambda choice: self._commit(member, choice)))
            steps.append(("is thrown out", lambda _: member.thrown_out()))
            return steps
        steps += [
            ("looks", lambda _: member.look()),
            ("gives a sign", lambda _: member.sign()),
            ("recovers", lambda _: member.recover()),
            ("records", lambda choice: member.record(choice.draw(HEARD))),
        ]
        if free and member.held:
            steps += [
                ("renews", lambda c: member.renew(c.draw(HEARD), c.draw(SLOW), self.time_passes)),
                ("resigns", lambda choice: member.resign(choice.draw(HEARD))),
                ("begins a claim", lambda _: member.begin()),
            ]
        if member.may_take():
            steps.append(("takes", lambda choice: member.take(choice.draw(HEARD))))
        return steps

    def _commit(self, member: Member, choice: st.DataObject) -> None:
        if choice.draw(st.booleans(), label="chores"):
            member.judge()
        member.plan()
        member.commit(choice.draw(st.sampled_from(["heard", "lost", "late"])))

    def _call(self, member: Member, id: int) -> None:
        before = len(self.started)
        member.call(id)
        if len(self.started) > before:
            run = self.database.runs[id]
            owner = (run.status, run.node)
            assert owner == ("running", member.id), f"a body started whose run is {owner}"

    def _every_owed_slot_has_its_outcome(self) -> None:
        covered = {
            run.slot + timedelta(seconds=k)
            for run in self.database.runs
            for k in range(run.slots)
            if run.attempt == 1
        }
        last = self.database.next_run_time
        owed = {EPOCH + timedelta(seconds=k) for k in range((last - EPOCH) // timedelta(seconds=1))}
        assert owed <= covered, f"unexplained: {sorted(owed - covered)}"
        recent = self.database.now - timedelta(seconds=5)
        left = [r for r in self.database.runs if r.status not in CLOSED and r.slot < recent]
        assert not left, f"never ended: {left}"

    def _member(self) -> Member:
        self.born += 1
        return Member(self.born, self.database, lambda: self.time, self.started, **self.members_are)
