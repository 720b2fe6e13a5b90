"""What users do to rows while a scheduler works with them."""

from __future__ import annotations

import pytest
from scheduler import scheduler
from scheduler.models import Execution, Job
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from . import bodies
from .jobs import add, every_second, runs, second
from .peers import hold


def test_a_users_transaction_that_holds_a_jobs_row_delays_that_job_only(a, user, vendor):
    if vendor == "sqlite":
        pytest.skip("SQLite has one write lock for all rows; see the next test")
    a.lead()
    add(id="held")
    add(id="free")
    done = hold(user, lambda: Job.objects.filter(id="held").update(name="renamed"))
    a.turn_until(lambda: runs(job_id="free", status=Status.SUCCEEDED))
    assert runs(job_id="held") == []
    assert a.leads
    done.set()
    a.turn_until(lambda: runs(job_id="held", status=Status.SUCCEEDED))
    user.end()


def test_a_users_transaction_that_ends_lets_the_scheduler_go_on(a, user):
    a.lead()
    add(id="held")
    done = hold(user, lambda: Job.objects.filter(id="held").update(name="renamed"))
    turning = a.begin(a.scheduler._process_jobs)
    done.set()
    turning.result(120)
    a.turn_until(lambda: runs(job_id="held", status=Status.SUCCEEDED))
    user.end()


def test_a_run_whose_job_vanished_behind_our_back_is_complete_in_itself(a, monkeypatch):
    a.lead()
    _queue(a, monkeypatch)
    Job.objects.all().delete()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def test_a_queued_run_of_a_job_that_was_removed_on_purpose_is_cancelled(
    a, monkeypatch, database_clock
):
    a.lead()
    every_second(database_clock.now())
    _queue(a, monkeypatch, make=False)
    scheduler.remove_job("job")
    a.turn()
    (row,) = runs()
    assert (row.status, row.reason) == (Status.CANCELLED, "its job was removed")
    assert bodies.calls == []


def _queue(a, monkeypatch, make: bool = True) -> None:
    """Have ``a`` claim the job's slot, with no free slot to start it in."""
    monkeypatch.setattr(a.scheduler.loop.dispatcher, "free", lambda: {"default": 0})
    if make:
        add()
    a.turn_until(lambda: runs(status=Status.QUEUED))
    monkeypatch.undo()


def test_an_id_that_is_added_again_owes_the_same_moment_anew(a, database_clock):
    a.lead()
    start = database_clock.move(60)
    every_second(start)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    scheduler.remove_job("job")
    every_second(start)
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 2)
    first, again = runs()
    assert first.scheduled_run_time == again.scheduled_run_time == start
    assert first.job_uid != again.job_uid


def test_a_slot_that_the_ledger_holds_already_is_passed_over(a, database_clock):
    """A restored backup of the jobs' table, or a next run time set back by hand."""
    a.lead()
    start = database_clock.move(60)
    every_second(start)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    Job.objects.update(next_run_time=start)
    a.turn()
    a.turn()
    assert (len(bodies.calls), len(runs())) == (1, 1)
    database_clock.move(1)
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 2)
    assert Job.objects.get().state == JobState.ACTIVE


def test_of_a_stretch_that_begins_with_a_recorded_slot_only_that_slot_is_passed_over(
    a, database_clock
):
    """A stale row of the job was saved over its newer one while nobody led."""
    a.lead()
    start = database_clock.move(60)
    every_second(start)
    for number in (1, 2):
        a.turn_until(lambda number=number: len(runs(status=Status.SUCCEEDED)) == number)
        database_clock.move(1)
    Job.objects.update(next_run_time=start)
    database_clock.set(second(start, 5))
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 3)
    assert [(row.scheduled_run_time, row.slots, row.status) for row in runs()] == [
        (start, 1, "succeeded"),
        (second(start, 1), 1, "succeeded"),
        (second(start, 2), 3, "skipped"),
        (second(start, 5), 1, "succeeded"),
    ]


def test_a_one_shot_that_is_set_back_to_its_recorded_slot_ends(a):
    a.lead()
    job = add()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    job.save(force_insert=True)
    a.turn_until(lambda: not Job.objects.exists())
    assert len(bodies.calls) == len(runs()) == 1


def test_a_rolling_deploy_brings_the_function_later(a, database_clock, monotonic, monkeypatch):
    """The job is there before the code: it rests, is shown, and runs what it owes afterwards."""
    a.lead()
    start = database_clock.move(60)
    every_second(start)
    Job.objects.update(func="tests.proof.conformance.bodies:not_yet")
    a.turn()
    assert Job.objects.get().state == JobState.QUARANTINED
    assert "not_yet" in Job.objects.get().last_error
    assert runs() == []
    monkeypatch.setattr(bodies, "not_yet", bodies.note, raising=False)
    database_clock.move(3)
    monotonic.forward(61)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert [(row.status, row.slots) for row in runs()] == [("skipped", 3), ("succeeded", 1)]
    assert runs()[-1].scheduled_run_time == second(start, 3)


def test_manual_runs_have_no_slot_and_never_collide(a):
    add(max_instances=4)
    for _ in range(3):
        scheduler.run_now("job")
    a.turn_until(lambda: Execution.objects.filter(status=Status.SUCCEEDED).count() == 4)
    assert sorted(row.kind for row in runs()) == ["manual"] * 3 + ["schedule"]


def test_manual_runs_keep_to_max_instances_as_slots_do(a):
    add()
    scheduler.run_now("job")
    a.turn_until(lambda: runs(kind="manual", status=Status.SUCCEEDED))
    (slot,) = runs(kind="schedule")
    assert (slot.status, "max_instances" in slot.reason) == (Status.SKIPPED, True)
