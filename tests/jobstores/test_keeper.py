"""A stock APScheduler scheduler on ``DjangoJobStore``: the lease, the ledger, no run twice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from scheduler import scheduler as client
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Execution, Job, Lease, Node
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from tests import bodies
from tests.processes import eventually, running

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("stock_process.py")
ANY_TIME = {"misfire_grace_time": None}
"""APScheduler's own default of one second is no time for a busy machine."""


@pytest.fixture
def stock():
    """A started stock scheduler with a listener's record of what it heard."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults=ANY_TIME)
    scheduler.add_jobstore(DjangoJobStore(), "default")
    scheduler.add_executor(ThreadPoolExecutor(4))
    scheduler.add_executor(DebugExecutor(), "debug")
    scheduler.heard = []
    mask = EVENT_JOB_SUBMITTED | EVENT_JOB_EXECUTED | EVENT_JOB_ERROR
    scheduler.add_listener(scheduler.heard.append, mask)
    scheduler.start()
    yield scheduler
    bodies.gate.set()  # what a test that failed left waiting would keep the shutdown for ever
    if scheduler.running:
        scheduler.shutdown()


def begin_slow(scheduler: BackgroundScheduler) -> None:
    bodies.gate.clear()
    bodies.entered.clear()
    scheduler.add_job(bodies.wait_at_gate, "date", id="slow")
    assert bodies.entered.wait(120)


def ended(job_id: str) -> Execution:
    rows = Execution.objects.filter(job_id=job_id).finished()
    return eventually(rows.first)


def test_its_runs_are_recorded_and_its_listeners_hear_of_them(stock):
    stock.add_job(bodies.add, "date", args=[1], kwargs={"b": 2}, id="sum")
    stock.add_job(bodies.boom, "date", id="boom")

    total, boom = ended("sum"), ended("boom")

    assert (total.status, total.return_value) == (Status.SUCCEEDED, "3")
    assert total.started_at <= total.finished_at
    assert boom.status == Status.FAILED
    assert boom.exception.startswith("ValueError")
    assert "bodies.py" in boom.traceback
    assert not Job.objects.exists()
    heard = eventually(lambda: len(stock.heard) >= 4 and Counter(e.code for e in stock.heard))
    assert heard == {EVENT_JOB_SUBMITTED: 2, EVENT_JOB_EXECUTED: 1, EVENT_JOB_ERROR: 1}


@pytest.mark.parametrize("executor", ["default", "debug"])
def test_a_run_that_somebody_asks_for_is_run(stock, executor):
    stock.add_job(bodies.add, "interval", hours=1, args=[1], id="sum", executor=executor)
    execution = client.run_now("sum", kwargs={"b": 4}, wait=True, timeout=120)
    assert (execution.status, execution.return_value) == (Status.SUCCEEDED, "5")


def test_as_many_instances_run_at_once_as_the_job_allows(stock):
    bodies.gate.clear()
    stock.add_job(bodies.wait_at_gate, "interval", hours=1, id="slow", max_instances=2)
    for _ in range(3):
        client.run_now("slow")
    eventually(lambda: Execution.objects.running().count() == 2)
    assert Execution.objects.queued().count() == 1
    bodies.gate.set()

    eventually(lambda: Execution.objects.finished().count() == 3)
    assert set(Execution.objects.values_list("status", flat=True)) == {Status.SUCCEEDED}


def test_an_edit_made_elsewhere_is_acted_on_at_once(stock):
    stock.add_job(bodies.tick, "interval", hours=1, id="tick")
    client.reschedule_job("tick", trigger="interval", seconds=1)
    assert ended("tick").log == "tick\n"


def test_coroutines_run(stock):
    stock.add_job(bodies.later, "date", id="later")
    assert ended("later").return_value == '"later"'


def test_an_executor_that_is_not_there_quarantines_and_removes_nothing(stock):
    stock.add_job(bodies.tick, "date", id="tick", executor="gone")
    assert eventually(Job.objects.filter(state=JobState.QUARANTINED).first).id == "tick"
    stock.add_executor(ThreadPoolExecutor(1), "gone")
    client.retry_job("tick")
    assert ended("tick").status == Status.SUCCEEDED


def test_worker_processes_are_recorded_and_their_death_too():
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults=ANY_TIME)
    scheduler.add_jobstore(DjangoJobStore())
    scheduler.add_executor(ProcessPoolExecutor(1), "pool")
    scheduler.start()
    try:
        scheduler.add_job(bodies.add, "date", args=[2], id="sum", executor="pool")
        assert (ended("sum").status, ended("sum").return_value) == (Status.SUCCEEDED, "2")
        scheduler.add_job(bodies.die, "date", id="dies", executor="pool")
        assert ended("dies").status == Status.LOST
        assert "worker process" in ended("dies").reason
    finally:
        scheduler.shutdown()


def test_shutdown_waits_for_bodies_records_them_and_hands_over(stock):
    begin_slow(stock)
    threading.Timer(0.2, bodies.gate.set).start()

    stock.shutdown()

    assert Execution.objects.get().status == Status.SUCCEEDED
    assert Lease.objects.get().holder is None


def test_shutdown_without_waiting_leaves_the_body_its_row(stock):
    begin_slow(stock)

    stock.shutdown(wait=False)
    eventually(lambda: Lease.objects.get().holder is None)
    assert Execution.objects.get().status == Status.RUNNING
    bodies.gate.set()

    assert ended("slow").status == Status.SUCCEEDED


def test_what_was_handed_over_and_not_begun_goes_back_to_the_queue(stock):
    """The stock scheduler has stopped between our claim and its submission."""
    stock.add_job(bodies.tick, "interval", hours=1, id="tick")
    eventually(lambda: Lease.objects.filter(holder__isnull=False).exists())
    keeper = stock._jobstores["default"]._keeper
    with stock._jobstores_lock:  # its loop cannot look
        client.run_now("tick")
        eventually(Execution.objects.filter(status=Status.RUNNING).first)
        keeper.stop()
    assert Execution.objects.get().status == Status.QUEUED


def test_started_paused_it_only_looks_at_the_jobs():
    stores = {"default": DjangoJobStore()}
    scheduler = BackgroundScheduler(timezone="UTC", jobstores=stores, job_defaults=ANY_TIME)
    scheduler.start(paused=True)
    keeper = scheduler._jobstores["default"]._keeper
    scheduler.add_job(bodies.tick, "date", id="tick")
    keeper._turn()
    assert not Lease.objects.filter(holder__isnull=False).exists()
    scheduler.resume()
    assert ended("tick").status == Status.SUCCEEDED
    scheduler.shutdown()


def test_two_processes_and_a_kill_run_each_slot_once(tmp_path):
    notes = tmp_path / "notes"
    with running(SCRIPT, str(notes), count=2) as processes:
        eventually(lambda: Execution.objects.finished().count() >= 6, 120)
        leader = Node.objects.get(id=Lease.objects.get().holder)
        killed = next(process for process in processes if process.pid == leader.pid)
        killed.kill()
        killed.wait()
        eventually(
            lambda: Execution.objects.finished().filter(term=Lease.objects.get().term, term__gt=1)
            .count() >= 6
        )  # fmt: skip
        other = next(process for process in processes if process is not killed)
        other.send_signal(signal.SIGINT)
        assert other.wait(120) == 0

    called = Counter(notes.read_text().splitlines())
    assert [slot for slot, count in called.items() if count > 1] == []
    assert_covered_once(list(Execution.objects.order_by("scheduled_run_time")))
    assert Lease.objects.get().term == 2


def assert_covered_once(rows: list[Execution]) -> None:
    """From the first slot to the last: no gap, no slot twice, nothing left open."""
    step = timedelta(seconds=0.25)
    expected = rows[0].scheduled_run_time
    for row in rows:
        assert row.scheduled_run_time == expected, row
        assert row.status in (Status.SUCCEEDED, Status.LOST, Status.SKIPPED, Status.QUEUED)
        expected += row.slots * step
