"""``DjangoMemoryJobStore``: jobs of one process, with their history in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from scheduler.jobstores import DjangoMemoryJobStore
from scheduler.jobstores import memory as memorystore
from scheduler.models import Execution, Job
from scheduler.models.execution import Status

from tests import bodies
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stock():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore(DjangoMemoryJobStore(), "default")
    scheduler.add_jobstore("memory", "silent")
    scheduler.start()
    yield scheduler
    scheduler.shutdown()


def ended(job_id: str) -> Execution:
    return eventually(Execution.objects.finished().filter(job_id=job_id).first)


def test_runs_are_recorded_with_their_outcome(stock):
    now = datetime.now(UTC)
    stock.add_job(bodies.add, "date", args=[1], id="sum", name="Sum")
    stock.add_job(bodies.boom, "date", id="boom")
    stock.add_job(lambda: 1, "date", id="late", run_date=now - timedelta(hours=1))

    total, boom, late = ended("sum"), ended("boom"), ended("late")

    assert (total.status, total.return_value, total.job_name) == (Status.SUCCEEDED, "1", "Sum")
    assert total.finished_at >= total.scheduled_run_time
    assert (boom.status, boom.exception[:10]) == (Status.FAILED, "ValueError")
    assert "boom" in boom.traceback
    assert late.status == Status.MISSED
    assert not Job.objects.exists()


def test_runs_that_found_no_room_are_recorded(stock):
    bodies.gate.clear()
    stock.add_job(bodies.wait_at_gate, "interval", seconds=0.2, id="slow")
    try:
        assert ended("slow").status == Status.SKIPPED
    finally:
        bodies.gate.set()


def test_other_job_stores_leave_no_trace(stock):
    done = []
    stock.add_job(done.append, "date", args=[1], id="quiet", jobstore="silent")
    stock.add_job(bodies.noop, "interval", seconds=0.1, id="loud")
    ended("loud")
    assert eventually(lambda: done)
    assert not Execution.objects.filter(job_id="quiet").exists()


def test_a_job_that_is_added_again_has_a_history_of_its_own(stock):
    at = datetime.now(UTC)
    for _ in range(2):
        stock.add_job(bodies.noop, "date", id="again", run_date=at, misfire_grace_time=60)
        eventually(lambda: stock.get_job("again") is None)
    eventually(lambda: Execution.objects.filter(job_id="again").count() == 2)


def test_jobs_that_are_gone_are_forgotten_but_for_the_latest(stock, monkeypatch):
    """A run may end after its job was removed, as that of a one-shot always does."""
    monkeypatch.setattr(memorystore, "MAX_REMOVED_JOBS", 3)
    store = stock._lookup_jobstore("default")
    stock.add_job(bodies.noop, "interval", hours=1, id="stays")
    for number in range(8):
        stock.add_job(bodies.noop, "interval", hours=1, id=f"{number}")
        stock.remove_job(f"{number}")
    assert (len(store._known), list(store._gone)) == (1, ["5", "6", "7"])
    stock.remove_all_jobs()
    assert (len(store._known), len(store._gone)) == (0, 3)
