"""Run now, cancel, retry: rows that ask; nothing runs in the caller."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from scheduler import scheduler
from scheduler.db.clock import DbNow, db_now
from scheduler.errors import (
    DefinitionError,
    ExecutionLookupError,
    ExecutionStateError,
    InAtomicBlockError,
    RunNowTimeoutError,
)
from scheduler.models import Execution, Job, Lease
from scheduler.models.execution import Kind, Status
from scheduler.models.job import JobState

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def job():
    scheduler.add_job(
        bodies.add, "date", run_date=LATER, args=[1], id="a", timeout=5, executor="processes"
    )
    return Job.objects.get()


def test_run_now_queues_a_complete_row_and_moves_no_schedule(job):
    execution = scheduler.run_now("a", kwargs={"b": 2}, requested_by="alice")

    row = Execution.objects.get()
    assert row == execution
    assert (row.kind, row.status, row.scheduled_run_time) == (Kind.MANUAL, Status.QUEUED, None)
    assert (row.job_id, row.job_uid, row.job_name) == ("a", job.uid, "add")
    assert (row.func, row.args, row.kwargs) == ("tests.bodies:add", "[1]", '{"b":2}')
    assert (row.timeout, row.executor, row.requested_by) == (5, "processes", "alice")
    assert timedelta(0) <= datetime.now(UTC) - row.due_at < timedelta(minutes=1)
    assert Job.objects.get().next_run_time == LATER


def test_paused_jobs_can_be_run_and_stay_paused(job):
    scheduler.pause_job("a")
    scheduler.run_now("a")
    assert Job.objects.get().state == JobState.PAUSED


def test_many_runs_may_be_asked_for_at_once(job):
    scheduler.run_now("a")
    scheduler.run_now("a")
    assert Execution.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "error"),
    [({"kwargs": {"c": 1}}, ValueError), ({"args": [object()]}, TypeError)],
)
def test_arguments_are_checked_when_asked(job, given, error):
    with pytest.raises(error):
        scheduler.run_now("a", **given)
    assert not Execution.objects.exists()


@pytest.mark.parametrize("state", [JobState.QUARANTINED, JobState.RETIRED])
def test_a_job_that_cannot_run_is_refused_with_the_reason(job, state):
    Job.objects.update(state=state, last_error="no module named x")
    with pytest.raises(DefinitionError, match="no module named x"):
        scheduler.run_now("a")
    assert not Execution.objects.exists()


def test_nothing_is_asked_for_after_a_rollback(job):
    with transaction.atomic():
        scheduler.run_now("a")
        transaction.set_rollback(True)
    assert not Execution.objects.exists()


def test_waiting_inside_an_atomic_block_is_refused_and_asks_for_nothing(job):
    with transaction.atomic():
        with pytest.raises(InAtomicBlockError, match="atomic"):
            scheduler.run_now("a", wait=True)
        assert not Execution.objects.exists()


def test_waiting_gives_the_row_as_it_ended(job):
    def run_it():
        while not Execution.objects.update(status=Status.SUCCEEDED, return_value="3"):
            pass
        connection.close()

    worker = threading.Thread(target=run_it)
    worker.start()
    execution = scheduler.run_now("a", wait=True, timeout=20)
    worker.join()
    assert (execution.status, execution.return_value) == (Status.SUCCEEDED, "3")


def test_a_wait_that_ends_too_early_says_that_nobody_is_alive(job, caplog):
    with pytest.raises(
        RunNowTimeoutError, match=r"no scheduler is alive.*runapscheduler"
    ) as raised:
        scheduler.run_now("a", wait=True, timeout=0)
    assert raised.value.execution.status == Status.QUEUED
    assert "no scheduler is alive" in caplog.text
    assert scheduler.running is False


def test_the_setting_bounds_the_wait(job, settings):
    settings.APSCHEDULER_RUN_NOW_TIMEOUT = 0
    with pytest.raises(RunNowTimeoutError, match="after 0 s"):
        scheduler.run_now("a", wait=True)


def test_running_means_that_somebody_holds_the_lease(job):
    Lease.objects.create(
        pk=1, holder=job.uid, term=1, expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    assert scheduler.running is True
    Lease.objects.update(expires_at=DbNow())
    assert scheduler.running is False


def test_what_is_queued_is_cancelled_at_once_and_what_runs_is_asked_to_stop(job):
    queued, running = scheduler.run_now("a"), scheduler.run_now("a")
    Execution.objects.filter(pk=running.pk).update(status=Status.RUNNING)

    cancelled = scheduler.cancel(queued.pk, requested_by="bob")
    asked = scheduler.cancel(running.pk)

    assert (cancelled.status, cancelled.reason) == (Status.CANCELLED, "cancelled by bob")
    assert cancelled.finished_at is not None
    assert asked.status == Status.RUNNING
    assert asked.cancel_requested_at is not None


def test_what_has_ended_or_never_was_cannot_be_cancelled(job):
    done = scheduler.cancel(scheduler.run_now("a").pk)
    with pytest.raises(ExecutionStateError, match="has ended: cancelled"):
        scheduler.cancel(done.pk)
    with pytest.raises(ExecutionLookupError, match="No execution 12345"):
        scheduler.cancel(12345)


def test_a_retry_is_the_next_attempt_of_the_same_slot_as_it_was_defined_then(job):
    failed = scheduler.run_now("a")
    Execution.objects.update(status=Status.FAILED, scheduled_run_time=LATER, attempt=2)
    scheduler.modify_job("a", args=[9])

    again = scheduler.retry(failed.pk, requested_by="bob")

    assert (again.kind, again.attempt, again.scheduled_run_time) == (Kind.RETRY, 3, LATER)
    assert (again.args, again.job_uid, again.requested_by) == ("[1]", job.uid, "bob")
    with pytest.raises(ExecutionStateError, match="being retried already"):
        scheduler.retry(failed.pk)
    with pytest.raises(ExecutionStateError, match="has not ended"):
        scheduler.retry(again.pk)
    Execution.objects.filter(pk=again.pk).update(status=Status.LOST)
    assert scheduler.retry(failed.pk).attempt == 4


def test_a_manual_run_is_retried_once_at_a_time_too(job):
    """It has no slot by which a second click could be refused."""
    for _ in range(2):
        scheduler.run_now("a")
    Execution.objects.update(status=Status.FAILED, finished_at=db_now("default"))
    first, _ = Execution.objects.order_by("pk")

    again = scheduler.retry(first.pk)
    with pytest.raises(ExecutionStateError, match="being retried already"):
        scheduler.retry(first.pk)

    Execution.objects.filter(pk=again.pk).update(
        status=Status.FAILED, finished_at=db_now("default")
    )
    assert (again.attempt, scheduler.retry(first.pk).attempt) == (2, 3)


def test_quarantine_is_released_and_jobs_are_retired_on_request(job):
    Job.objects.update(state=JobState.QUARANTINED, last_error="x")
    scheduler.retry_job("a")
    row = Job.objects.get()
    assert (row.state, row.last_error, row.next_run_time) == (JobState.ACTIVE, "", LATER)

    scheduler.retire_job("a")
    row = Job.objects.get()
    assert (row.state, row.next_run_time) == (JobState.RETIRED, None)
