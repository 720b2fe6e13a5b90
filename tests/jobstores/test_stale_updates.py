"""``update_job`` of the bare store with what was read before somebody else changed the job."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apscheduler.jobstores.base import JobLookupError
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
