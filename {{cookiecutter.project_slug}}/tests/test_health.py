"""What probes see."""

from __future__ import annotations

import pytest
from django import VERSION
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from home.health import OF_SCHEDULER, HealthMiddleware


def test_healthz_needs_no_database_host_or_https(client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["www.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert response.status_code == 200
    assert response.json() == {"ok": True, "reason": ""}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_readyz_answers_when_all_is_migrated(client: Client) -> None:
    assert client.get("/readyz").json() == {"ok": True, "reason": ""}


@pytest.mark.django_db
def test_readyz_names_missing_migrations(client: Client) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="scheduler").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["reason"]


def test_readyz_says_that_the_database_is_away(monkeypatch) -> None:
    # Database access is forbidden in this test, which the middleware must not swallow silently.
    from django.db import OperationalError

    class Away:
        def cursor(self) -> None:
            raise OperationalError("gone")

    monkeypatch.setattr("home.health.connection", Away())
    middleware = HealthMiddleware(lambda request: None)  # type: ignore[arg-type,return-value]
    assert middleware.obstacle() == "database: OperationalError"


@pytest.mark.django_db
def test_the_scheduler_s_health_is_told_without_host_or_https(client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["www.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz/scheduler", headers={"host": "10.0.0.7"})
    assert response.status_code == 503
    assert "start manage.py runapscheduler" in response.json()["reason"]


@pytest.mark.django_db
def test_a_red_probe_is_mailed_to_nobody(client: Client, settings, mailoutbox, caplog) -> None:
    settings.DEBUG = False
    settings.ADMINS = [("", "ops@example.com")] if VERSION < (6, 0) else ["ops@example.com"]
    assert client.get("/healthz/scheduler").status_code == 503
    assert client.get("/metrics").status_code == 404
    assert mailoutbox == []
    assert caplog.records == []


def test_an_exception_in_a_probe_is_in_the_log_but_mailed_to_nobody(
    client: Client, settings, mailoutbox, monkeypatch, caplog
) -> None:
    settings.DEBUG = False
    settings.ADMINS = [("", "ops@example.com")] if VERSION < (6, 0) else ["ops@example.com"]
    client.raise_request_exception = False
    monkeypatch.setitem(OF_SCHEDULER, "/metrics", lambda request: 1 / 0)
    assert client.get("/metrics").status_code == 500
    (record,) = caplog.records
    assert "ZeroDivisionError" in str(record.exc_info)
    assert mailoutbox == []


@pytest.mark.django_db
def test_metrics_need_the_token(client: Client, settings) -> None:
    settings.APSCHEDULER_METRICS_TOKEN = "secret"
    assert client.get("/metrics").status_code == 401
