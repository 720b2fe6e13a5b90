"""Triggers that cannot be planned in time, and slots that wait for the judgement of a process."""

from __future__ import annotations

import threading

import pytest
from scheduler import triggers
from scheduler.conf import conf
from scheduler.models import Change, Job, Lease, Node
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from . import bodies
from .jobs import add, every_second, runs, second
from .test_fences import pass_time, running
from .test_lease import expire


@pytest.fixture
def hanging(monkeypatch):
    """The fire times of triggers of 499 seconds are never found."""
    go_on, usual = threading.Event(), triggers.IntervalTrigger.get_next_fire_time

    def hang(trigger, *given):
        if trigger.interval.total_seconds() == 499:
            go_on.wait()
        return usual(trigger, *given)

    yield lambda: monkeypatch.setattr(triggers.IntervalTrigger, "get_next_fire_time", hang)
    go_on.set()


def test_a_job_whose_next_time_is_never_found_is_quarantined_and_the_leader_goes_on(
    a, database_clock, hanging
):
    now = database_clock.now()
    a.lead()
    stuck = add(id="stuck", trigger="interval", seconds=499, start_date=second(now, 1))
    every_second(second(now, 1), id="well")
    hanging()
    database_clock.move(1)
    a.turn_until(lambda: runs(job_id="well", status=Status.SUCCEEDED))
    stuck.refresh_from_db()
    assert (stuck.state, stuck.next_run_time) == (JobState.QUARANTINED, second(now, 1))
    assert "planning takes too long" in stuck.last_error
    assert a.leads
    assert Change.objects.filter(job_id="stuck", action="quarantined").count() == 1


def test_it_is_not_tried_again_by_itself_each_minute(a, database_clock, hanging):
    now = database_clock.now()
    a.lead()
    stuck = add(id="stuck", trigger="interval", seconds=499, start_date=second(now, 1))
    hanging()
    database_clock.move(1)
    a.turn()
    a.scheduler.loop.leader._quarantine_at = a.scheduler.loop.leader._chores_at = 0.0
    a.turn()
    stuck.refresh_from_db()
    assert stuck.state == JobState.QUARANTINED


def test_a_trigger_written_behind_the_orm_that_is_never_planned_is_quarantined(a, hanging):
    a.lead()
    job = add(trigger="interval", hours=1)
    text = triggers.dumps(triggers.build("interval", seconds=499))
    hanging()
    Job.objects.filter(id=job.id).update(trigger=text)
    a.turn_until(lambda: Job.objects.get().state == JobState.QUARANTINED)
    assert a.leads


def test_slots_wait_for_the_judgement_of_the_process_that_may_be_dead_and_then_run(
    a, b, database_clock, monotonic
):
    """Its run is all that stands in their way; skipped, they could not be made up for."""
    now = database_clock.now()
    a.lead()
    every_second(second(now, 1), id="held", func=bodies.wait, coalesce=False)
    database_clock.move(1)
    a.turn_until(lambda: bodies.calls)
    _die(a)
    bodies.gate.set()
    database_clock.move(3)
    b.lead()
    b.turn()
    assert [row.status for row in runs()] == [Status.RUNNING]
    pass_time(monotonic, b, conf().LEASE_TTL + 3)
    b.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 3)
    assert [row.status for row in runs()] == [Status.LOST, *[Status.SUCCEEDED] * 3]


def test_slots_do_not_wait_where_the_process_gives_signs_of_life(a, b, database_clock):
    """A leader that handed over and drains: its run has not ended, and that is no doubt."""
    now = database_clock.now()
    a.lead()
    every_second(second(now, 1), id="held", func=bodies.wait)
    database_clock.move(1)
    a.turn_until(lambda: bodies.calls)
    expire()
    b.lead()
    a.beat()
    b.scheduler.loop.leader._chores_at = 0.0
    database_clock.move(1)
    b.turn()
    (row,) = runs(status=Status.SKIPPED)
    assert row.reason == "max_instances reached: earlier runs had not ended"


def test_of_runs_that_had_not_begun_it_is_said_so(peer, database_clock, settings):
    now = database_clock.now()
    settings.APSCHEDULER_MAX_WORKERS = 1
    a = peer("a")
    a.lead()
    running(a)
    every_second(second(now, 1))
    for _ in range(2):
        database_clock.move(1)
        a.turn()
    (row,) = runs(job_id="job", status=Status.SKIPPED)
    assert row.reason == "max_instances reached: earlier runs had not begun"


def _die(peer) -> None:
    """As kill -9 on another host: silent, and nothing proves it."""
    peer.vanish()
    Node.objects.filter(id=peer.node_id).update(boot_id="another host")
    Lease.objects.update(expires_at=None)
