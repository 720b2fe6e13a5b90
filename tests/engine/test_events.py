"""Django's signals and APScheduler's listeners hear of the same runs, in one order."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from apscheduler import events
from django.db.models import F
from scheduler import scheduler, signals
from scheduler.models import Execution, Job, Lease
from scheduler.models.execution import Status
from scheduler.schedulers.blocking import DjangoScheduler
from scheduler.testing import run_due

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)

OF_RUNS = ("run_started", "run_succeeded", "run_failed", "run_missed", "run_skipped", "run_lost",
           "run_cancelled")  # fmt: skip
OF_LEADERSHIP = ("became_leader", "lost_leadership")


@contextmanager
def connected(*names, heard):
    """Every signal writes its name and what came with it into ``heard``."""
    with ExitStack() as stack:
        for name in names:

            def receive(sender, name=name, signal=None, **told):
                heard.append((name, told))

            signal = getattr(signals, name)
            signal.connect(receive, weak=False)
            stack.callback(signal.disconnect, receive)
        yield


@pytest.fixture
def heard():
    heard = []
    scheduler.add_listener(listener := lambda event: heard.append((event.code, event)))
    with connected(*OF_RUNS, heard=heard):
        yield heard
    scheduler.remove_listener(listener)


def kinds(heard):
    return [kind for kind, _ in heard if kind != events.EVENT_JOB_ADDED]


def test_a_run_is_told_to_listeners_and_then_to_receivers(heard):
    scheduler.add_job(bodies.add, "date", args=[1], id="a")
    run_due()
    assert kinds(heard) == [
        events.EVENT_JOB_SUBMITTED, "run_started", events.EVENT_JOB_EXECUTED, "run_succeeded",
    ]  # fmt: skip
    told = dict(heard)
    assert told["run_succeeded"]["execution"].status == Status.SUCCEEDED
    assert told[events.EVENT_JOB_EXECUTED].retval == 1


def test_a_failure_comes_with_its_exception(heard):
    scheduler.add_job(bodies.boom, "date", id="a")
    run_due()
    assert kinds(heard)[2:] == [events.EVENT_JOB_ERROR, "run_failed"]
    told = dict(heard)
    assert isinstance(told["run_failed"]["exception"], ValueError)
    assert told[events.EVENT_JOB_ERROR].exception is told["run_failed"]["exception"]


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_log_of_a_failure_does_not_tell_what_is_sensitive(by_hand, caplog):
    options = {"kwargs": {"key": "sk_live_5"}, "sensitive": ["key"], "id": "a"}
    if by_hand:
        scheduler.add_job(bodies.refuse, "interval", hours=1, **options)
        scheduler.run_now("a")
    else:
        scheduler.add_job(bodies.refuse, "date", **options)
    assert [row.status for row in run_due()] == [Status.FAILED]
    assert "ValueError: bad key ••••••" in caplog.text
    assert "sk_live_5" not in caplog.text
    (record,) = [record for record in caplog.records if record.name == "scheduler.events"]
    execution = Execution.objects.get()
    about = (execution.job_id, execution.pk, execution.attempt)
    assert (record.job, record.execution, record.attempt) == about


def test_what_does_not_run_is_told_too(heard):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="late", misfire_grace_time=60)
    scheduler.add_job(bodies.noop, "interval", hours=1, id="often")
    Job.objects.update(next_run_time=datetime.now(UTC) - timedelta(hours=3, minutes=30))
    run_due()
    assert {"run_missed", "run_skipped", "run_succeeded"} <= set(kinds(heard))
    missed = dict(heard)["run_missed"]["execution"]
    assert (missed.job_id, missed.status) == ("late", Status.MISSED)


def test_a_receiver_that_fails_stops_nothing(heard, caplog):
    def fails(**_):
        raise ValueError("receiver")

    signals.run_started.connect(fails)
    try:
        scheduler.add_job(bodies.noop, "date", id="a")
        assert [row.status for row in run_due()] == [Status.SUCCEEDED]
    finally:
        signals.run_started.disconnect(fails)
    assert "fails" in caplog.text


def test_leadership_and_lost_runs_are_told():
    now = datetime.now(UTC)
    lost = Execution.objects.create(
        job_id="gone", job_uid=uuid4(), func="tests.bodies:noop", status=Status.RUNNING,
        node_id=uuid4(), due_at=now, queued_at=now, started_at=now,
    )  # fmt: skip
    heard: list = []
    process = DjangoScheduler()
    process.begin()
    with connected("run_lost", *OF_LEADERSHIP, heard=heard):
        process._process_jobs()
        process._process_jobs()
        process.loop.drain(lambda: 0.0)

    told = dict(heard)
    assert told["became_leader"]["term"] == told["lost_leadership"]["term"] == 1
    assert told["lost_leadership"]["reason"]
    assert told["run_lost"]["execution"].pk == lost.pk


def taken_away():
    Lease.objects.update(holder=uuid4(), term=F("term") + 1)


def asked_to_resign():
    Lease.objects.update(resign_requested=True)


@pytest.mark.parametrize(
    ("how", "level"),
    [(None, "INFO"), (asked_to_resign, "INFO"), (taken_away, "WARNING")],
    ids=["stopped", "resigned", "taken"],
)
def test_only_a_loss_that_nobody_wanted_is_a_warning(how, level, caplog):
    caplog.set_level("INFO", "scheduler.events")
    process = DjangoScheduler()
    process.begin()
    process._process_jobs()
    scheduler.add_job(bodies.noop, "date", id="a")
    if how is not None:
        how()
        process._process_jobs()
    process.loop.drain(lambda: 10.0)
    said = [row.levelname for row in caplog.records if "No longer leader" in row.message]
    assert said == [level]
