"""The scheduler turned by hand: what is due runs once, and everything is written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.models import Execution, Job, Lease, Term
from scheduler.models.execution import Status
from scheduler.schedulers.blocking import DjangoScheduler

pytestmark = pytest.mark.django_db(transaction=True)


def greet(name: str = "world") -> str:
    print(f"hello {name}")
    return name


def stumble() -> None:
    raise ValueError("on purpose")


@pytest.fixture
def turning(settings) -> Iterator[DjangoScheduler]:
    settings.APSCHEDULER_ALLOWED_MODULES = [__name__]
    scheduler = DjangoScheduler()
    scheduler.begin()
    yield scheduler
    scheduler.loop.drain(lambda: 0.0)


def turn_until(scheduler: DjangoScheduler, **wanted: object) -> Execution:
    """Turn the loop until an execution looks as wanted; every wait ends with a result."""
    for _ in range(50):
        scheduler._process_jobs()
        if found := Execution.objects.filter(**wanted).first():
            return found
        scheduler.wake.wait(0.2)
    raise AssertionError(list(Execution.objects.values()))


def test_a_due_job_runs_once_and_leaves_its_whole_story(turning):
    turning.add_job(greet, "date", id="greeting", args=["you"])
    row = turn_until(turning, status=Status.SUCCEEDED)
    assert (row.job_id, row.return_value, row.log) == ("greeting", '"you"', "hello you\n")
    assert row.term == Lease.objects.get().term
    assert not Job.objects.filter(id="greeting").exists()
    turning._process_jobs()
    assert Execution.objects.filter(job_id="greeting").count() == 1


def test_a_failure_is_kept_with_its_traceback_and_tried_again_as_often_as_the_job_says(turning):
    turning.add_job(stumble, "date", id="stumbling")
    Job.objects.filter(id="stumbling").update(max_retries=1)
    first = turn_until(turning, status=Status.FAILED, attempt=1)
    assert first.exception == "ValueError: on purpose"
    assert "in stumble" in first.traceback
    turn_until(turning, status=Status.FAILED, attempt=2)
    assert not Execution.objects.filter(status=Status.QUEUED).exists()


def test_a_second_scheduler_stands_by_and_takes_over(turning):
    turning._process_jobs()
    second = DjangoScheduler()
    second.begin()
    second._process_jobs()
    assert turning.loop.leads
    assert not second.loop.leads
    turning.loop.drain(lambda: 0.0)
    second._process_jobs()
    assert second.loop.leads
    assert list(Term.objects.values_list("term", flat=True)) == [2, 1]
    second.loop.drain(lambda: 0.0)


def test_a_job_that_cannot_be_loaded_is_set_aside_and_never_deleted(turning):
    turning.add_job(greet, "interval", minutes=1, id="gone")
    Job.objects.filter(id="gone").update(
        func=f"{__name__}:no_such_function", next_run_time=datetime.now(UTC) - timedelta(hours=1)
    )
    turning._process_jobs()
    job = Job.objects.get(id="gone")
    assert job.state == "quarantined"
    assert "no_such_function" in job.last_error
