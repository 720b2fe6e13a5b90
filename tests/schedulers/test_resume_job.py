"""Pause, resume and reschedule: which run comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scheduler import scheduler, triggers
from scheduler.errors import DefinitionError
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests import bodies
from tests.schedulers.test_client import LATER, add, one

pytestmark = pytest.mark.django_db(transaction=True)


def test_pause_and_resume_move_no_slot_of_an_active_job():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    due = one().next_run_time
    assert scheduler.resume_job("a").next_run_time == due

    assert scheduler.pause_job("a").next_run_time is None
    assert (one().state, one().next_run_time) == (JobState.PAUSED, None)
    assert scheduler.resume_job("a").next_run_time >= due
    assert one().state == JobState.ACTIVE
    actions = [change.action for change in Change.objects.order_by("id")]
    assert actions == ["added", "paused", "resumed"]


def test_resuming_loses_no_run_that_is_owed():
    due = datetime(2026, 1, 1, tzinfo=UTC)
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    Job.objects.update(state=JobState.QUARANTINED, next_run_time=due, last_error="not there yet")

    assert scheduler.resume_job("a").next_run_time == due

    assert (one().state, one().next_run_time, one().last_error) == (JobState.ACTIVE, due, "")
    assert Change.objects.first().action == "released"
    assert scheduler.resume_job("a").next_run_time == due
    Job.objects.update(state=JobState.QUARANTINED, func="tests.bodies:gone")
    with pytest.raises(DefinitionError):
        scheduler.resume_job("a")
    assert one().state == JobState.QUARANTINED


def test_resuming_a_job_whose_schedule_is_over_removes_it():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a", end_date=LATER)
    scheduler.pause_job("a")
    over = triggers.build("interval", hours=1, end_date="2020-01-01")
    Job.objects.update(trigger=triggers.dumps(over))

    assert scheduler.resume_job("a") is None
    assert not Job.objects.exists()


def test_rescheduling_computes_the_next_run():
    add()
    job = scheduler.reschedule_job("a", trigger="interval", minutes=1)

    row = one()
    assert row.next_run_time == job.next_run_time
    assert timedelta(0) < row.next_run_time - datetime.now(UTC) <= timedelta(minutes=1)
    assert row.planned_trigger == row.trigger
