"""A leader tells of jobs in quarantine with its chores, and of their end."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from scheduler import scheduler
from scheduler.models import Job
from scheduler.monitoring import alerts, problems
from scheduler.monitoring.digest import Alert

from tests import bodies


@pytest.fixture
def told(monkeypatch) -> list[Alert]:
    kept: list[Alert] = []
    monkeypatch.setattr(alerts, "tell", kept.append)
    return kept


def test_a_leader_s_turns_tell_of_a_quarantine_and_of_its_end(
    a, told, monotonic, database_clock, monkeypatch
):
    monkeypatch.setattr(alerts, "_check_at", -math.inf)
    scheduler.add_job(bodies.noop, "interval", hours=1, id="hourly")
    Job.objects.update(state="quarantined", func="tests.bodies:gone", last_error="gone")

    def later(by: timedelta) -> None:
        monotonic.forward(by.total_seconds())
        database_clock.move(by.total_seconds())
        a.turn()

    a.lead()
    later(timedelta(seconds=alerts.CHECK_INTERVAL))
    later(problems.TOLD_AFTER)
    later(problems.TOLD_AFTER)
    assert [(alert.kind, alert.job_id) for alert in told] == [("quarantined", "hourly")]
    Job.objects.update(func="tests.bodies:noop")
    later(timedelta(minutes=2))  # the leader tries it again
    later(timedelta(minutes=2))
    assert [alert.kind for alert in told[1:]] == ["no longer quarantined"]
