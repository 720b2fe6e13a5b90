"""``update_job`` of the bare store with what was read before somebody else changed the job."""

from __future__ import annotations

from copy import copy, deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.triggers.cron import CronTrigger
from scheduler import scheduler
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Job

from tests import bodies

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="n", name="before")
    store = DjangoJobStore()
    store.start(scheduler, "default")
    return store


def moved_on(job):
    """As a stock scheduler's loop does after a run."""
    job._modify(next_run_time=job.next_run_time + timedelta(hours=1))
    return job


def test_a_stale_update_does_not_end_a_pause(store):
    read = store.lookup_job("n")
    scheduler.pause_job("n")
    store.update_job(moved_on(read))
    row = Job.objects.get(pk="n")
    assert (row.state, row.next_run_time) == ("paused", None)


def test_a_stale_update_does_not_undo_an_edit(store):
    read = store.lookup_job("n")
    scheduler.reschedule_job("n", trigger="cron", hour=3)
    edited = Job.objects.get(pk="n")
    scheduler.modify_job("n", name="after")
    read._modify(name="stale", max_instances=5)
    store.update_job(moved_on(read))
    row = Job.objects.get(pk="n")
    assert (row.name, row.trigger, row.next_run_time) == (
        "after",
        edited.trigger,
        edited.next_run_time,
    )
    assert row.max_instances == 5, "nobody else touched it"


def test_a_stale_update_does_not_bring_back_what_was_removed_or_touch_what_took_its_id(store):
    read = store.lookup_job("n")
    scheduler.remove_job("n")
    with pytest.raises(JobLookupError):
        store.update_job(moved_on(read))
    scheduler.add_job(bodies.noop, "cron", hour=3, id="n")
    added = Job.objects.get(pk="n")
    with pytest.raises(JobLookupError):
        store.update_job(read)
    assert Job.objects.get(pk="n").next_run_time == added.next_run_time


def test_an_update_of_what_nobody_changed_is_written(store):
    read = store.lookup_job("n")
    at = read.next_run_time + timedelta(hours=1)
    store.update_job(moved_on(read))
    row = Job.objects.get(pk="n")
    assert (row.state, row.next_run_time) == ("active", at)


def claimed():
    """The scheduler moves the job on, as at each run."""
    row = Job.objects.get(pk="n")
    Job.objects.filter(pk="n").update(next_run_time=row.next_run_time + timedelta(hours=1))


def test_a_pause_holds_whatever_ran_or_was_rescheduled_since(store):
    read = store.lookup_job("n")
    claimed()
    scheduler.reschedule_job("n", trigger="cron", hour=3)
    read._modify(next_run_time=None)
    store.update_job(read)
    row = Job.objects.get(pk="n")
    assert (row.state, row.next_run_time, "cron" in row.trigger) == ("paused", None, True)


def test_another_trigger_brings_its_own_next_run_time_whatever_ran_since(store):
    read, trigger = store.lookup_job("n"), CronTrigger(hour=3, timezone=UTC)
    claimed()
    at = trigger.get_next_fire_time(None, datetime.now(UTC))
    read._modify(trigger=trigger, next_run_time=at)
    store.update_job(read)
    assert Job.objects.get(pk="n").next_run_time == at


def test_another_trigger_ends_no_pause_that_came_since(store):
    read, trigger = store.lookup_job("n"), CronTrigger(hour=3, timezone=UTC)
    scheduler.pause_job("n")
    read._modify(trigger=trigger, next_run_time=trigger.get_next_fire_time(None, datetime.now(UTC)))
    store.update_job(read)
    row = Job.objects.get(pk="n")
    assert (row.state, row.next_run_time, "cron" in row.trigger) == ("paused", None, True)


def test_a_stale_update_does_not_undo_an_edit_of_this_apps_own_options(store):
    read = store.lookup_job("n")
    scheduler.modify_job("n", max_retries=4)
    read._modify(max_retries=7, name="after")
    store.update_job(read)
    row = Job.objects.get(pk="n")
    assert (row.max_retries, row.name) == (4, "after")


def test_one_object_can_be_written_again_and_again(store):
    job = store.lookup_job("n")
    at = job.next_run_time + timedelta(hours=2)
    for name in ("first", "second"):
        job._modify(name=name)
        store.update_job(moved_on(job))
    row = Job.objects.get(pk="n")
    assert (row.name, row.next_run_time) == ("second", at)
    job._modify(next_run_time=None)
    store.update_job(job)
    job._modify(next_run_time=at)
    store.update_job(job)
    row = Job.objects.get(pk="n")
    assert (row.state, row.next_run_time) == ("active", at)


@pytest.mark.parametrize("copied", [copy, deepcopy])
def test_a_copy_knows_what_was_read_as_well(store, copied):
    read = copied(store.lookup_job("n"))
    scheduler.pause_job("n")
    store.update_job(moved_on(read))
    assert Job.objects.get(pk="n").state == "paused"


def test_what_was_read_can_be_added_again_whole_once_it_is_removed(store):
    scheduler.modify_job("n", max_retries=3)
    read, before = store.lookup_job("n"), Job.objects.get(pk="n")
    with pytest.raises(ConflictingIdError):
        store.add_job(read)
    scheduler.remove_job("n")
    store.add_job(read)
    row = Job.objects.get(pk="n")
    same = ("name", "func", "args", "trigger", "max_retries", "next_run_time", "state")
    assert [getattr(row, name) for name in same] == [getattr(before, name) for name in same]
    assert row.uid != before.uid
    store.update_job(moved_on(read))
    assert Job.objects.get(pk="n").next_run_time > row.next_run_time


@pytest.mark.parametrize(
    "act",
    [
        lambda job: job.remove(),
        lambda job: job.pause(),
        lambda job: job.resume(),
        lambda job: job.modify(name="stale"),
        lambda job: job.reschedule("cron", hour=4),
    ],
    ids=["remove", "pause", "resume", "modify", "reschedule"],
)
def test_a_job_at_hand_touches_nothing_that_took_its_id(act):
    at_hand = scheduler.add_job(bodies.noop, "interval", hours=1, id="n")
    scheduler.remove_job("n")
    scheduler.add_job(bodies.noop, "cron", hour=3, id="n")
    before = Job.objects.filter(pk="n").values().get()
    with pytest.raises(JobLookupError):
        act(at_hand)
    assert Job.objects.filter(pk="n").values().get() == before
