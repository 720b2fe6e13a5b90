"""A commit whose reply never came is neither done nor undone in the eyes of who sent it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from scheduler import scheduler
from scheduler.models import Execution, Lease, Term
from scheduler.models.execution import Status

from . import bodies
from .breakage import lost_reply
from .jobs import add, every_second, runs
from .test_lease import expire


def test_a_claim_whose_reply_was_lost_runs_once(a):
    a.lead()
    a.turn()
    add()
    with lost_reply(a) as commits:
        a.turn()
    assert commits, "nothing was committed in that turn"
    (row,) = runs()
    assert (row.status, row.node_id) == (Status.RUNNING, a.node_id)
    assert bodies.calls == []
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert (len(bodies.calls), len(runs())) == (1, 1)


def test_a_claim_whose_reply_was_lost_is_not_made_again_for_a_repeating_job(a, database_clock):
    a.lead()
    a.turn()
    every_second(database_clock.move(5))
    with lost_reply(a):
        a.turn()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    a.turn()
    assert (len(bodies.calls), len(runs())) == (1, 1)


@pytest.mark.parametrize("manual", [False, True])
def test_an_outcome_whose_reply_was_lost_is_written_once_and_owes_one_retry(a, manual):
    """A manual run has no slot: for it the unique key refuses nothing."""
    a.lead()
    day = timedelta(days=1 if manual else 0)
    add(bodies.boom_later, run_date=datetime.now(UTC) + day, max_retries=1, retry_delay=3600)
    if manual:
        scheduler.run_now("job")
    a.turn_until(lambda: bodies.calls)
    bodies.gate.set()
    a.wait_for_results()
    with lost_reply(a) as commits:
        a.turn()
    assert commits
    a.turn_until(lambda: not a.scheduler.loop.dispatcher.in_flight)
    assert [(row.attempt, row.status) for row in runs()] == [(1, "failed"), (2, "queued")]


def test_a_lease_that_was_taken_without_a_reply_is_found_to_be_ours_under_its_own_term(a, b):
    b.register()
    a.register()
    a.do(a.lease._look)  # makes the row
    with lost_reply(a), pytest.raises(OperationalError):
        a.do(a.lease.acquire)
    assert not a.lease.held, "unknown was counted as won"
    assert not b.do(b.lease.acquire)
    a.lead()
    assert (a.lease.term, Term.objects.count()) == (1, 1)


def test_a_release_whose_reply_was_lost_starts_nothing_more(a, b):
    a.lead()
    with lost_reply(a), pytest.raises(OperationalError):
        a.do(a.lease.release)
    assert not a.lease.held
    assert Lease.objects.get().holder is None
    b.lead()
    a.turn()
    assert not a.leads


def test_a_give_back_whose_reply_was_lost_does_not_touch_who_runs_it_now(a, b, monkeypatch):
    """a's row went back to the queue and b runs it; a asks again, and changes nothing."""
    a.lead()
    executor = a.scheduler.loop.dispatcher.executors["default"]
    executor.connect(a.scheduler.loop.dispatcher.deliver, lambda term: False, executor._now)
    add(bodies.wait)
    a.turn_until(lambda: a.scheduler.loop.dispatcher.in_flight)
    a.wait_for_results()
    (row,) = runs()
    a.scheduler.loop.outcomes.give_back([row.id])  # done, unheard
    expire()
    b.lead()
    b.turn_until(lambda: bodies.calls)
    a.turn()
    (row,) = runs()
    assert (row.status, row.node_id) == (Status.RUNNING, b.node_id)
    bodies.gate.set()
    b.turn_until(lambda: Execution.objects.filter(status=Status.SUCCEEDED).exists())
    assert len(bodies.calls) == 1
