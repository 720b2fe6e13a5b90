"""``/metrics``, read as Prometheus reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError
from django.test import RequestFactory
from scheduler.monitoring import cluster, views

from tests.monitoring import rows

parser = pytest.importorskip(
    "prometheus_client.parser", reason="prometheus-client is not installed"
)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(settings):
    settings.APSCHEDULER_METRICS_TOKEN = "secret"
    with rows.database_clock():
        yield


def get(authorization: str = "Bearer secret"):
    return views.metrics(RequestFactory().get("/metrics", headers={"authorization": authorization}))


def samples() -> dict[str, float]:
    """By name and labels, as in ``scheduler_runs_total{job_id=a,outcome=failed}``."""
    found = {}
    for family in parser.text_string_to_metric_families(get().content.decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_every_job_has_every_outcome_at_zero_before_its_first_run():
    rows.leader()
    rows.job()
    values = samples()
    outcomes = {"succeeded", "failed", "timed_out", "missed", "skipped", "lost", "cancelled"}
    for outcome in outcomes:
        assert values[f"scheduler_runs_total{{job_id=home.sync,outcome={outcome}}}"] == 0
        assert values[f"scheduler_runs_total{{job_id=,outcome={outcome}}}"] == 0
    assert values["scheduler_run_seconds_count{job_id=home.sync}"] == 0
    assert values["scheduler_orphans_total"] == 0


def test_metrics_describe_leader_and_standbys():
    rows.leader()
    rows.node(pid=4712)
    rows.job("home.broken", state="quarantined")
    rows.execution(status="queued")
    values = samples()
    assert values["scheduler_up"] == 1
    assert values["scheduler_term"] == 7
    assert values["scheduler_lease_remaining_seconds"] == 6
    assert values["scheduler_processes"] == 2
    assert values["scheduler_due_backlog"] == 1
    assert values["scheduler_quarantined_jobs"] == 1
    assert values["scheduler_is_leader{host=db1,pid=4711}"] == 1
    assert values["scheduler_is_leader{host=db1,pid=4712}"] == 0


def test_what_each_process_measured_of_itself():
    use = {"workers": 10, "busy_workers": 3}
    rows.leader(renew_seconds=0.004, loop_lag_seconds=0.01, wake_latency_seconds=0.002, **use)
    rows.node(pid=4712, loop_lag_seconds=0.02)
    rows.node(rows.NOON - timedelta(hours=1), pid=4713, loop_lag_seconds=0.5)
    found = {name: value for name, value in samples().items() if "pid=" in name}
    assert {name: found[name] for name in found if "is_leader" not in name} == {
        "scheduler_renew_seconds{host=db1,pid=4711}": 0.004,
        "scheduler_workers{host=db1,pid=4711}": 10,
        "scheduler_busy_workers{host=db1,pid=4711}": 3,
        "scheduler_loop_lag_seconds{host=db1,pid=4711}": 0.01,
        "scheduler_loop_lag_seconds{host=db1,pid=4712}": 0.02,
        "scheduler_wake_latency_seconds{host=db1,pid=4711}": 0.002,
    }


def test_metrics_count_runs_by_outcome():
    rows.job()
    rows.execution()
    rows.execution(status="failed")
    rows.execution(status="lost")
    rows.execution(status="skipped", started_at=None)
    values = samples()
    assert values["scheduler_runs_total{job_id=home.sync,outcome=failed}"] == 1
    assert values["scheduler_orphans_total"] == 1
    assert values["scheduler_run_seconds_count{job_id=home.sync}"] == 3
    assert values["scheduler_run_seconds_sum{job_id=home.sync}"] == 6.0
    assert values["scheduler_start_lag_seconds_sum{job_id=home.sync}"] == 3.0


def test_metrics_say_that_nobody_leads():
    assert samples()["scheduler_up"] == 0


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
def test_a_database_that_is_away_is_a_zero_not_an_error(monkeypatch, error):
    def away(using):
        raise error

    monkeypatch.setattr(cluster, "db_now", away)
    assert samples() == {"scheduler_up": 0.0}


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "secret"])
def test_metrics_need_their_token(authorization):
    response = get(authorization)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"scheduler_" not in response.content


def test_metrics_are_off_without_a_token(settings):
    settings.APSCHEDULER_METRICS_TOKEN = ""
    assert get("Bearer ").status_code == 404


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(views, "find_spec", lambda name: None)
    response = get()
    assert response.status_code == 501
    assert b"pip install prometheus-client" in response.content


def test_openmetrics_if_asked_for():
    request = RequestFactory().get(
        "/metrics",
        headers={
            "authorization": "Bearer secret",
            "accept": "application/openmetrics-text; version=1.0.0",
        },
    )
    response = views.metrics(request)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.endswith(b"# EOF\n")
