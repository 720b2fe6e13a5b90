"""What reaches Sentry, through the project's own start of it and a transport that keeps it."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from config.sentry import start_sentry
from scheduler import signals
from scheduler.engine.events import Events
from scheduler.engine.runner import COLUMNS, Result, Run
from scheduler.models.execution import Status

from tests.ops import rows

sentry_sdk = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    kept: list[dict] = []

    class Keep(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            kept.append(envelope.get_event())

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
