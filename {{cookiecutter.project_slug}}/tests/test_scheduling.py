"""How to test code that schedules: a clock that can be set, and what is due run on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from scheduler import scheduler
from scheduler.jobstores import DjangoJobStore
from scheduler.models import DjangoJobExecution, Job
from scheduler.models.execution import Status
from scheduler.testing import assert_not_scheduled, assert_scheduled, run_due, sync_declared
from tests import jobs

pytestmark = pytest.mark.django_db
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


def test_a_job_is_there_if_and_only_if_its_transaction_commits():
    with transaction.atomic():
        scheduler.add_job(jobs.greet, "date", run_date=NOON, id="kept")
    with transaction.atomic():
        scheduler.add_job(jobs.greet, "date", run_date=NOON, id="undone")
        transaction.set_rollback(True)

    assert assert_scheduled(jobs.greet, at=NOON).id == "kept"
    assert_not_scheduled("undone")


def test_what_is_due_runs_at_the_time_of_the_clock(scheduler_clock):
    scheduler_clock.set(NOON)
    scheduler.add_job(jobs.greet, "interval", hours=1, id="hourly")
    assert run_due() == []

    scheduler_clock.tick(hours=1)
    (run,) = run_due()

    assert (run.status, run.return_value) == (Status.SUCCEEDED, '"Hello, world!"')
    assert run.scheduled_run_time == NOON + timedelta(hours=1)
    assert_scheduled("hourly", at=NOON + timedelta(hours=2))


def test_a_paused_job_rests_and_can_be_run_all_the_same():
    scheduler.add_job(jobs.greet, "interval", hours=1, id="hourly")
    scheduler.pause_job("hourly")
    scheduler.run_now("hourly", requested_by="a test")

    (run,) = run_due()

    assert (run.kind, run.requested_by, run.status) == ("manual", "a test", Status.SUCCEEDED)
    assert Job.objects.get().next_run_time is None


def test_the_declared_jobs_come_in_with_the_first_leader():
    first = sync_declared()

    assert first.errors == {}
    assert set(first.added) == set(Job.objects.filter(declared=True).values_list("id", flat=True))
    again = sync_declared()
    assert (again.added, again.changed, again.retired) == ([], [], [])


def test_old_executions_are_deleted_and_young_ones_stay(scheduler_clock):
    scheduler.add_job(jobs.greet, "interval", days=5, id="a")
    for _ in range(2):
        scheduler_clock.tick(days=5)
        run_due()
    scheduler_clock.tick(days=3)

    assert DjangoJobExecution.objects.delete_old_job_executions(max_age=604_800) == 1
    assert DjangoJobExecution.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"func": "tests.jobs:no_such"}, LookupError),
        ({"func": "os:getcwd"}, LookupError),
        ({"args": ["one", "too many"]}, ValueError),
        ({"hours": 0}, ValueError),
        ({"executor": "no such"}, ValueError),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_at_once(given, error):
    with pytest.raises(error):
        scheduler.add_job(**{"func": jobs.greet, "trigger": "interval", "hours": 1} | given)
    assert not Job.objects.exists()


def test_a_conflicting_id_does_not_spoil_the_transaction():
    scheduler.add_job(jobs.greet, "interval", hours=1, id="a")
    with transaction.atomic():
        with pytest.raises(KeyError, match="replace_existing=True"):
            scheduler.add_job(jobs.greet, "interval", hours=1, id="a")
        scheduler.add_job(jobs.greet, "interval", hours=1, id="b")
    assert [job.id for job in scheduler.get_jobs()] == ["a", "b"]


def test_the_job_store_serves_any_scheduler_of_apscheduler():
    store = DjangoJobStore()
    store.start(None, "default")
    scheduler.add_job(jobs.greet, "date", run_date=NOON, id="a")

    assert store.get_next_run_time() == NOON
    assert [job.id for job in store.get_due_jobs(NOON)] == ["a"]
    assert store.get_due_jobs(NOON - timedelta(microseconds=1)) == []
