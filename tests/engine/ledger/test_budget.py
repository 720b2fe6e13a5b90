"""What computing fire times may cost the leader."""

from __future__ import annotations

import threading
import time

import pytest
from scheduler.engine.ledger.budget import PlanningTooSlow, each_within, within


def spin(_: object) -> None:
    while True:
        pass


def answers(compute, items, turn=60.0):
    return list(each_within(compute, items, turn))


def test_each_item_has_its_answer_or_what_it_raised():
    (one, two), (zero, error) = answers(lambda n: 2 / n, [1, 0])
    assert ((one, two), zero, type(error)) == ((1, 2.0), 0, ZeroDivisionError)


def test_what_hangs_is_given_up_and_the_others_are_computed():
    never = threading.Event()
    given = answers(lambda n: never.wait(30) if n == 2 else n, [1, 2, 3])
    assert [answer for _, answer in given[::2]] == [1, 3]
    assert isinstance(given[1][1], PlanningTooSlow)
    never.set()


def test_what_computes_for_ever_takes_no_time_after_it_was_given_up():
    with pytest.raises(PlanningTooSlow, match="Simplify the trigger"):
        within(lambda: spin(None))
    for thread in threading.enumerate():
        if thread.name == "planning":
            thread.join(60)
            assert not thread.is_alive()


def test_when_the_turn_is_over_no_further_item_is_begun():
    assert answers(lambda n: n, [1, 2, 3], turn=0.0) == [(1, 1)]


def test_a_machine_that_gives_us_no_time_is_no_hanging_trigger(monkeypatch):
    """Another thread holds the interpreter for longer than a job may take."""
    wait = threading.Event.wait

    def late(event, timeout=None):
        if timeout is not None:
            time.sleep(0.3)  # what the others took; it counts as one short look
        return wait(event, 0)

    monkeypatch.setattr(threading.Event, "wait", late)
    begun = time.monotonic()
    ((_, answer),) = answers(lambda _: time.sleep(1.2), [None])
    assert answer is None
    assert time.monotonic() - begun > 1.0
