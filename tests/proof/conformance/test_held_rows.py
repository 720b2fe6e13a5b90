"""A user's open transaction holds the row of a run: that run waits, and nothing else does."""

from __future__ import annotations

import time
from threading import Event

import pytest
from scheduler import scheduler
from scheduler.models import Change, Execution, Job, Lease, Node
from scheduler.models.execution import Status
from scheduler.models.job import JobState
from scheduler.models.node import Role

from . import bodies
from .jobs import add, runs
from .peers import hold

LOCK_WAIT = 2.0
"""Seconds after which the loop's connection stops to wait for a row."""


@pytest.fixture(autouse=True)
def _row_locks(vendor) -> None:
    if vendor == "sqlite":
        pytest.skip("SQLite has one write lock for all rows")


def test_a_users_transaction_that_holds_a_runs_row_delays_its_outcome_only(a, user):
    """The leader wants to write how the run ended, and a view or a shell has its row locked."""
    done = hold_an_ended_run(a, user)
    add(id="free")
    a.turn_until(lambda: runs(job_id="free", status=Status.SUCCEEDED))
    before = Lease.objects.get().beat
    a.beat()
    assert Lease.objects.get().beat > before
    assert (a.leads, a.scheduler.loop.outage.last_error) == (True, "")
    assert [row.status for row in runs(job_id="held")] == [Status.RUNNING]
    done.set()
    user.end()
    a.turn_until(lambda: runs(job_id="held", status=Status.QUEUED))
    assert [row.status for row in runs(job_id="held")] == [Status.FAILED, Status.QUEUED]


def test_the_turn_waits_once_for_a_held_row_and_then_passes_it_over(a, user):
    done = hold_an_ended_run(a, user)
    a.turn()
    began = time.monotonic()
    for _ in range(10):
        a.turn()
    assert time.monotonic() - began < 10 * LOCK_WAIT / 2
    done.set()


def test_a_stop_leaves_a_held_row_to_the_next_leader(a, user):
    """It has its outcome in memory only: it is not recorded as outlasting the drain."""
    done = hold_an_ended_run(a, user)
    a.do(lambda: a.scheduler.loop.drain(lambda: 0.0))
    assert Node.objects.get(id=a.node_id).role == Role.STOPPED
    assert [row.status for row in runs(job_id="held")] == [Status.RUNNING]
    done.set()


def test_a_row_without_a_run_that_is_held_stops_nothing(a, user):
    """Its commit was never heard of: it goes back to the queue, but not now."""
    a.lead()
    add(bodies.wait, id="held")
    a.turn_until(lambda: bodies.calls)
    (run,) = runs(job_id="held")
    run.pk = run.scheduled_run_time = None
    run.save(force_insert=True)
    done = hold(user, lambda: Execution.objects.filter(pk=run.pk).update(requested_by="user"))
    a.beat()
    assert a.scheduler.loop.outage.last_error == ""
    assert Execution.objects.get(pk=run.pk).status == Status.RUNNING
    done.set()
    user.end()
    a.beat()
    assert Execution.objects.get(pk=run.pk).status == Status.QUEUED


def test_a_held_row_of_a_dead_process_is_judged_later_and_stops_nothing(a, b, user):
    a.lead()
    add(bodies.wait, id="held")
    a.turn_until(lambda: bodies.calls)
    a.vanish()
    done = hold(user, lambda: Execution.objects.filter(job_id="held").update(requested_by="user"))
    Node.objects.filter(id=a.node_id).update(role=Role.STOPPED)
    Lease.objects.update(holder=None)
    b.lead()
    add(id="free")
    b.turn_until(lambda: runs(job_id="free", status=Status.SUCCEEDED))
    assert b.scheduler.loop.outage.last_error == ""
    done.set()
    user.end()
    b.scheduler.loop.leader._chores_at = 0.0
    b.turn_until(lambda: runs(job_id="held", status=Status.LOST))


def test_a_held_row_of_an_unknown_executor_is_refused_later_and_stops_nothing(a, user):
    """Its executor left the settings, and a user's transaction holds the run."""
    a.lead()
    add(id="held", trigger="interval", hours=1)
    scheduler.run_now("held")
    rows = Execution.objects.filter(job_id="held")
    rows.update(executor="gone")
    done = hold(user, lambda: rows.update(requested_by="user"))
    round_by_round(a, user, done)
    a.turn_until(lambda: runs(job_id="held", status=Status.FAILED))


def test_a_held_job_in_quarantine_stays_there_and_stops_nothing(a, user):
    """The leader wants to release it, and a user's transaction is about to pause it."""
    a.lead()
    add(id="held", trigger="interval", hours=1)
    Job.objects.filter(id="held").update(state=JobState.QUARANTINED, last_error="gone")
    done = hold(user, lambda: Job.objects.filter(id="held").update(state=JobState.PAUSED))
    round_by_round(a, user, done)
    a.turn()
    assert Job.objects.get(id="held").state == JobState.PAUSED
    assert not Change.objects.filter(action="released").exists()


def round_by_round(peer, user, done: Event) -> None:
    """One while the user holds the row, in which other jobs run, and one afterwards."""
    quarantine_round(peer)
    add(id="free")
    peer.turn_until(lambda: runs(job_id="free", status=Status.SUCCEEDED))
    done.set()
    user.end()
    quarantine_round(peer)


def quarantine_round(peer) -> None:
    """The next turn does what is done once a minute."""
    peer.scheduler.loop.leader._chores_at = peer.scheduler.loop.leader._quarantine_at = 0.0
    peer.turn()
    assert (peer.leads, peer.scheduler.loop.outage.last_error) == (True, "")


def hold_an_ended_run(peer, user) -> Event:
    peer.lead()
    add(bodies.boom_later, id="held", max_retries=1, retry_delay=3600)
    peer.turn_until(lambda: bodies.calls)
    rows = Execution.objects.filter(job_id="held")
    done = hold(user, lambda: rows.update(requested_by="user"))
    bodies.gate.set()
    peer.wait_for_results()
    return done
