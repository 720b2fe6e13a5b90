"""A queued run whose executor left the settings ends, and somebody hears of it."""

from __future__ import annotations

import pytest
from apscheduler.events import EVENT_JOB_ERROR
from scheduler import signals
from scheduler.models import Execution
from scheduler.monitoring import alerts

from tests.monitoring import rows
from tests.proof.conformance.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_of_an_unknown_executor_is_told_since_it_is_not_retried(monkeypatch):
    told, heard, events = [], [], []
    monkeypatch.setattr(alerts.mailer, "put", told.append)
    row = rows.execution(status="queued", executor="gone", max_retries=3)
    rows.execution(status="queued", executor="gone", due_at=rows.NOON.replace(year=2999))

    def hear(execution, exception, **_):
        heard.append((execution.pk, execution.status, exception))

    signals.run_failed.connect(hear)
    peer = Peer("a")
    peer.scheduler.add_listener(events.append, EVENT_JOB_ERROR)
    try:
        peer.turn_until(lambda: Execution.objects.get(pk=row.pk).status == "failed")
    finally:
        peer.end()
        signals.run_failed.disconnect(hear)
    assert heard == [(row.pk, "failed", None)]
    assert [(event.job_id, type(event.exception)) for event in events] == [
        ("home.sync", RuntimeError)
    ]
    (alert,) = told
    assert (alert.kind, alert.execution_id) == ("failed", row.pk)
    assert alert.text == Execution.objects.get(pk=row.pk).reason != ""
