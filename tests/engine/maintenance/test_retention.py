"""History is pruned by age and by count; what is open, and what the audit needs, stays."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from scheduler.engine.leadership.lease import LeaseLost
from scheduler.engine.maintenance import retention
from scheduler.engine.maintenance.retention import Retention
from scheduler.models import Change, Execution, Job
from scheduler.models import Lease as LeaseRow
from scheduler.models.execution import Status

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _limits(settings, monkeypatch):
    settings.APSCHEDULER_KEEP_DAYS = 10
    settings.APSCHEDULER_KEEP_PER_JOB = 3
    monkeypatch.setattr(retention, "MAX_ROWS_PER_STEP", 4)


def executions(job_id: str, count: int, age: timedelta, status: str = Status.SUCCEEDED) -> None:
    ended = NOW - age
    Execution.objects.bulk_create(
        Execution(
            job_id=job_id, job_uid=uuid.uuid4(), func="tests.bodies:noop", status=status,
            due_at=ended, queued_at=ended, finished_at=ended,
        )
        for _ in range(count)
    )  # fmt: skip


def left(job_id: str) -> int:
    return Execution.objects.filter(job_id=job_id).count()


def test_what_is_older_than_keep_days_goes_a_batch_a_step(lease):
    executions("old", 6, timedelta(days=11))
    executions("young", 2, timedelta(days=9))
    pruning = Retention(lease)
    steps = [pruning.step(NOW) for _ in range(4)]
    assert sum(steps) == 6
    assert max(steps) <= 2 * retention.MAX_ROWS_PER_STEP
    assert (left("old"), left("young")) == (0, 2)


def test_each_job_keeps_its_newest_executions(lease):
    executions("busy", 9, timedelta(days=1))
    executions("calm", 2, timedelta(days=1))
    newest = list(Execution.objects.filter(job_id="busy").order_by("-id").values_list("id")[:3])
    pruning = Retention(lease)
    for _ in range(8):
        pruning.step(NOW)
    assert list(Execution.objects.filter(job_id="busy").order_by("-id").values_list("id")) == newest
    assert left("calm") == 2


def test_a_busy_job_among_many_one_off_jobs_is_soon_pruned(lease):
    for number in range(60):
        executions(f"reminder-{number:02}", 1, timedelta(days=1))
    executions("reminder-30-busy", 23, timedelta(days=1))
    executions("reminder-99-busy", 5, timedelta(days=1))
    pruning = Retention(lease)
    steps = [pruning.step(NOW) for _ in range(8)]
    assert steps == [4, 4, 4, 4, 4, 2, 0, 0]  # it stays while there is a whole batch
    assert (left("reminder-30-busy"), left("reminder-99-busy")) == (3, 3)
    assert Execution.objects.count() == 66


def test_a_job_that_fills_more_than_a_page_of_the_index_is_judged_once(
    lease, monkeypatch, settings
):
    monkeypatch.setattr(retention, "MAX_JOBS_PER_STEP", 4)
    settings.APSCHEDULER_KEEP_PER_JOB = 7
    executions("a", 3, timedelta(days=1))
    executions("b", 6, timedelta(days=1))  # is cut off, and has not too many
    executions("c", 9, timedelta(days=1))
    pruning = Retention(lease)
    for _ in range(4):
        pruning.step(NOW)
    assert [left(job_id) for job_id in "abc"] == [3, 6, 7]


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_what_has_not_ended_is_never_pruned(lease, status):
    executions("open", 6, timedelta(days=99), status)
    pruning = Retention(lease)
    for _ in range(4):
        pruning.step(NOW)
    assert left("open") == 6


def test_who_lost_the_lease_deletes_nothing(lease):
    """Deleting writes tallies, and only the leader may."""
    executions("old", 2, timedelta(days=11))
    LeaseRow.objects.update(holder=None)
    with pytest.raises(LeaseLost):
        Retention(lease).step(NOW)
    assert left("old") == 2


def test_changes_of_removed_jobs_go_and_those_of_living_jobs_stay(lease):
    job = Job.objects.create(id="living", func="tests.bodies:noop", trigger="{}")
    long_ago = NOW - timedelta(days=400)
    for uid in (job.uid, uuid.uuid4()):
        Change.objects.create(job_id="x", job_uid=uid, action="added", at=long_ago)
    Change.objects.create(job_id="x", job_uid=uuid.uuid4(), action="removed", at=NOW)
    Retention(lease).step(NOW)
    assert Change.objects.filter(at=long_ago).get().job_uid == job.uid
    assert Change.objects.count() == 2


def test_delete_old_job_executions_takes_seconds_and_counts():
    executions("old", 6, timedelta(days=11))
    Execution.objects.filter(job_id="old").update(finished_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert Execution.objects.delete_old_job_executions(max_age=604_800) == 6


def test_delete_old_job_executions_knows_no_filter_and_so_is_not_on_a_query_set():
    executions("kept", 2, timedelta(days=11))
    with pytest.raises(AttributeError):
        Execution.objects.filter(job_id="other").delete_old_job_executions(0)
    assert Execution.objects.using("default").count() == 2


def test_changes_go_batch_by_batch_without_a_pause_between(lease):
    """Else a site that adds and removes many jobs would keep ever more of them."""
    old = NOW - timedelta(days=11)
    Change.objects.bulk_create(
        Change(job_id="gone", job_uid=uuid.uuid4(), action="removed", at=old)
        for _ in range(2 * retention.MAX_ROWS_PER_STEP + 1)
    )
    pruning = Retention(lease)
    for _ in range(3):
        pruning.step(NOW)
    assert not Change.objects.exists()


def test_what_fails_is_not_repeated_at_once(lease, monkeypatch):
    def slow(before, using):
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(retention, "_forget_removed_jobs", slow)
    pruning = Retention(lease)
    with pytest.raises(OperationalError):
        pruning.step(NOW)
    assert pruning.step(NOW) == 0
