"""Started runs that wait for a thread: few, of quick functions, and never for long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scheduler.conf import conf
from scheduler.db.clock import DbNow
from scheduler.engine.executors.readahead import (
    MAX_AHEAD_WAIT,
    MOST_FOR_ONE,
    RUNS_AHEAD_PER_THREAD,
)
from scheduler.models import Lease
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, runs


@pytest.fixture(autouse=True)
def _one_thread(settings) -> None:
    settings.APSCHEDULER_MAX_WORKERS = 1


@pytest.fixture
def quick(a, database_clock):
    """The peer, which has seen that ``bodies.wait`` is quick. Time stands still."""
    database_clock.now()
    a.lead()
    bodies.gate.set()
    for number in range(3):
        add(bodies.wait, id=f"seen-{number}")
        a.turn_until(lambda number=number: runs(job_id=f"seen-{number}", status="succeeded"))
    bodies.gate.clear()
    bodies.calls.clear()
    return a


def slow() -> str:
    return bodies.wait()


def held(peer, count):
    """So many runs of a function that was quick and now hangs; what of them is marked running."""
    for number in range(count):
        add(bodies.wait, id=f"held-{number}")
    peer.turn_until(lambda: bodies.calls)
    peer.turn()
    return [row.job_id for row in runs(status=Status.RUNNING)]


@pytest.mark.parametrize(
    ("seconds", "for_one"),
    [(0.0049, 1), (0.0026, 1), (0.0024, 2), (0.0012, 4), (0.0, MOST_FOR_ONE)],
)
def test_so_many_wait_for_each_thread_as_it_does_in_the_time_and_no_more(quick, seconds, for_one):
    means = quick.scheduler.loop.dispatcher._read_ahead._means
    means.update(dict.fromkeys(means, seconds))
    most = 1 + RUNS_AHEAD_PER_THREAD * for_one
    assert len(held(quick, most + 1)) == most
    assert len(bodies.calls) == 1
    bodies.gate.set()
    quick.turn_until(lambda: len(runs(status="succeeded")) == 3 + most + 1)
    assert len(bodies.calls) == most + 1


def test_nothing_waits_for_a_thread_where_a_function_is_not_known_to_be_quick(a):
    a.lead()
    assert len(held(a, 3)) == 1


def test_a_slow_run_lets_nothing_wait_behind_it(quick):
    add(slow, id="slow")
    quick.turn_until(lambda: bodies.calls)
    add(bodies.wait, id="behind")
    quick.turn()
    quick.turn()
    assert [row.job_id for row in runs(status=Status.RUNNING)] == ["slow"]


def test_what_has_not_begun_in_time_goes_back_and_runs_once(quick, database_clock):
    assert len(held(quick, 3)) == 3
    database_clock.move(MAX_AHEAD_WAIT.total_seconds())
    quick.turn()
    assert len(runs(status=Status.RUNNING)) == 3
    database_clock.move(0.001)
    quick.turn()
    quick.turn()  # and is not handed over again while the thread hangs
    assert [row.job_id for row in runs(status=Status.RUNNING)] == [bodies.calls[0][0]]
    assert {(row.node_id, row.started_at) for row in runs(status=Status.QUEUED)} == {(None, None)}
    bodies.gate.set()
    quick.turn_until(lambda: len(runs(status="succeeded")) == 6)
    assert sorted(job_id for job_id, *_ in bodies.calls) == ["held-0", "held-1", "held-2"]


def test_a_stop_leaves_to_the_next_leader_what_has_not_begun(quick, b):
    assert len(held(quick, 3)) == 3
    quick.do(lambda: quick.scheduler.loop.drain(lambda: 0.0))
    statuses = [row.status for row in runs(job_id__startswith="held")]
    assert sorted(statuses) == [Status.LOST, Status.QUEUED, Status.QUEUED]
    bodies.gate.set()
    b.lead()
    b.turn_until(lambda: not runs(status=Status.QUEUED) and not runs(status=Status.RUNNING))
    assert len(runs(status="succeeded")) == 5
    assert len(bodies.calls) == 3


def test_a_kill_loses_what_was_started_whether_it_had_begun_or_not(quick, b, monotonic):
    """The price. Nothing runs twice."""
    assert len(held(quick, 3)) == 3
    quick.vanish()
    Lease.objects.update(expires_at=DbNow() - timedelta(seconds=1))
    b.lead()
    for _ in range(int(conf().LEASE_TTL) + 2):
        monotonic.forward(1)
        b.beat()
    assert [row.status for row in runs(job_id__startswith="held")] == [Status.LOST] * 3
    assert len(bodies.calls) == 1
