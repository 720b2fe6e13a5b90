"""What reaches Sentry, through the project's own start of it and a transport that keeps it."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from config.sentry import start_sentry
from django.apps import apps
from scheduler import signals
from scheduler.engine.events import Events
from scheduler.engine.executors.runner import COLUMNS, Result, Run
from scheduler.models import Execution
from scheduler.models.execution import Status
from scheduler.monitoring import checkins

from tests.monitoring import rows

sentry_sdk = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    kept: list[dict] = []

    class Keep(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            kept.extend(item.payload.json for item in envelope.items)

    init = sentry_sdk.init
    with monkeypatch.context() as patch, sentry_sdk.isolation_scope():
        patch.setattr(sentry_sdk, "init", lambda **options: init(transport=Keep, **options))
        start_sentry("http://key@localhost/1")
        yield kept
        init(dsn=None)


def body(password: str) -> None:
    raise ValueError("boom")


def fail(**columns: object) -> None:
    """A run fails, and the loop tells of it."""
    row = rows.execution(status="running", **columns)
    run = Run(**{name: getattr(row, name) for name in COLUMNS})
    try:
        body(password="secret")
    except ValueError as error:
        result = Result(run.id, Status.FAILED, exception="ValueError: boom", error=error)
    Events(SimpleNamespace(_listeners=[]), "default").finished(run, result)


def test_a_failed_run_is_one_event_without_values_and_names_its_job(sent):
    fail()
    (event,) = sent
    (exception,) = event["exception"]["values"]
    assert (exception["type"], event["tags"]["job"]) == ("ValueError", "home.sync")
    assert not any("vars" in frame for frame in exception["stacktrace"]["frames"])


def test_an_attempt_that_will_be_retried_is_none(sent):
    fail(attempt=1, max_retries=1)
    assert sent == []


def test_a_lost_run_is_not_told_by_its_log_line(sent):
    logging.getLogger("scheduler.reconcile").error("Execution 1 of 'home.sync' is lost: gone")
    assert sent == []


def test_a_receiver_that_failed_and_other_errors_are_told(sent):
    def receiver(**_: object) -> None:
        raise KeyError("receiver")

    signals.run_failed.connect(receiver)
    try:
        fail(attempt=1, max_retries=1)
    finally:
        signals.run_failed.disconnect(receiver)
    logging.getLogger("scheduler.loop").error("Something else")
    receivers, other = sent
    assert receivers["exception"]["values"][0]["type"] == "KeyError"
    assert other["logentry"]["message"] == "Something else"


@pytest.fixture
def monitored(sent, settings):
    """The check-ins of one job, as ``(slug, status, duration)``."""
    settings.APSCHEDULER_ALERTS = False
    settings.APSCHEDULER_SENTRY_MONITORS = {"home.sync": "sync"}
    apps.get_app_config("scheduler").ready()
    yield sent
    signals.run_started.disconnect(checkins.on_started)
    for signal in checkins.ENDS:
        signal.disconnect(checkins.on_ended)


def start(**columns: object) -> Execution:
    row = rows.execution(status="running", **{"scheduled_run_time": rows.NOON, **columns})
    signals.run_started.send(Execution, execution=row)
    return row


def end(row: Execution, signal, status: Status) -> None:
    row.status, row.finished_at = status, row.started_at + timedelta(seconds=2)
    signal.send(Execution, execution=row)


def statuses(sent: list[dict]) -> list[tuple[str, str, float | None]]:
    return [(each["monitor_slug"], each["status"], each["duration"]) for each in sent]


@pytest.mark.parametrize(
    ("signal", "status", "told"),
    [
        (signals.run_succeeded, Status.SUCCEEDED, "ok"),
        (signals.run_failed, Status.FAILED, "error"),
        (signals.run_lost, Status.LOST, "error"),
        (signals.run_cancelled, Status.CANCELLED, "error"),
    ],
)
def test_a_run_of_a_monitored_job_checks_in_at_its_start_and_end(monitored, signal, status, told):
    end(start(), signal, status)
    assert statuses(monitored) == [("sync", "in_progress", None), ("sync", told, 2.0)]
    assert len({each["check_in_id"] for each in monitored}) == 1


def test_attempts_at_one_slot_share_a_check_in_that_fails_with_the_last(monitored):
    uid = uuid4()
    end(start(job_uid=uid, max_retries=1), signals.run_failed, Status.FAILED)
    again = start(job_uid=uid, max_retries=1, attempt=2, kind="retry")
    end(again, signals.run_failed, Status.FAILED)
    assert [each["status"] for each in monitored] == ["in_progress", "in_progress", "error"]
    assert len({each["check_in_id"] for each in monitored}) == 1


@pytest.mark.parametrize("columns", [{"scheduled_run_time": None}, {"job_id": "home.other"}])
def test_runs_by_hand_and_jobs_without_a_monitor_do_not_check_in(monitored, columns):
    end(start(**columns), signals.run_succeeded, Status.SUCCEEDED)
    assert monitored == []


def test_without_a_monitor_nothing_listens_for_check_ins(settings):
    settings.APSCHEDULER_SENTRY_MONITORS = {}
    before = len(signals.run_started.receivers)
    checkins.connect()
    assert len(signals.run_started.receivers) == before
