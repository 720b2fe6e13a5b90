"""``/healthz/scheduler`` says whether somebody schedules, in time, and if not, why."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from uuid import uuid4

import pytest
from django import VERSION
from django.core import mail
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import RequestFactory
from scheduler import checks, codeversion
from scheduler.models import Change, Lease
from scheduler.monitoring import alerts, cluster, health, views
from scheduler.monitoring import mailer as alert_mail

from tests.monitoring import rows

pytestmark = pytest.mark.django_db
NOON = rows.NOON


def ago(seconds: float):
    return NOON - timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def noon():
    with rows.database_clock():
        yield


def page() -> tuple[int, dict]:
    response = views.health(RequestFactory().get("/healthz/scheduler"))
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, json.loads(response.content)


def test_a_leader_within_its_lease():
    rows.leader(at=ago(2))
    rows.node(at=ago(1))
    rows.node(at=ago(9))
    status, body = page()
    assert status == 200
    assert body == {
        "ok": True,
        "status": "ok",
        "reason": "",
        "warnings": [],
        "term": 7,
        "led": True,
        "paused_since": None,
        "lease_remaining": 4.0,
        "schedulers": 2,
        "workers": 0,
        "backlog": 0,
        "oldest_due": 0.0,
        "published": 0,
        "oldest_published": 0.0,
    }


def test_health_says_that_no_scheduler_has_ever_run():
    assert page()[0] == 503
    assert "no scheduler has ever run: start manage.py runapscheduler" in page()[1]["reason"]


def test_a_dead_leader_and_no_standby():
    rows.leader(at=ago(20))
    status, body = page()
    assert status == 503
    assert body["reason"].startswith("no leader for 14 s, and no scheduler is running")


def test_a_dead_leader_and_a_standby():
    rows.leader(at=ago(7))
    rows.node(at=ago(1))
    assert "1 running scheduler(s) should take over" in page()[1]["reason"]


def test_a_scheduler_that_is_stopping_takes_nothing_over():
    rows.leader(at=ago(7))
    Lease.objects.update(holder=None)
    rows.node(at=ago(1), role="draining")
    status, body = page()
    assert (status, body["schedulers"]) == (503, 1)
    assert body["reason"] == (
        "no leader for 1 s, and the last scheduler is stopping: start manage.py runapscheduler"
    )
    rows.node(at=ago(1))
    assert "1 running scheduler(s) should take over" in page()[1]["reason"]


def test_a_lease_that_was_given_up_is_not_held():
    rows.leader(at=ago(2))
    Lease.objects.update(holder=None, expires_at=ago(1))
    assert page()[1]["reason"].startswith("no leader for 1 s")


def test_what_is_due_and_not_run():
    rows.leader()
    rows.job(next_run_time=ago(61))
    rows.job("home.later", next_run_time=ago(-5))
    rows.job("home.paused", next_run_time=ago(500), state="paused")
    rows.execution(status="queued", due_at=ago(30))
    status, body = page()
    assert (status, body["backlog"], body["oldest_due"]) == (503, 2, 61.0)
    assert body["reason"] == "the oldest due run is 61 s late (2 are due)"


def test_the_limit_is_the_caller_s():
    rows.leader()
    rows.execution(status="queued", due_at=ago(30))
    assert health.read(max_lag=30).ok
    assert not health.read(max_lag=29).ok


def test_health_reports_the_leader_s_own_error():
    rows.leader(error="home: SyntaxError: invalid syntax")
    assert "leader reports an error: home: SyntaxError" in page()[1]["reason"]


def test_what_the_database_says_of_itself_stays_in_the_log():
    rows.leader(error='OperationalError: connection to "10.0.0.7", user "me" failed')
    reason = page()[1]["reason"]
    assert "OperationalError, see its log" in reason
    assert "10.0.0.7" not in reason


def test_a_quarantined_job_turns_the_page_red_where_that_is_asked_for(settings):
    rows.leader()
    rows.job(state="quarantined", last_error="no such function")
    assert page()[0] == 200
    settings.APSCHEDULER_HEALTH_FAILS_ON = ("no_leader", "quarantined")
    status, body = page()
    assert (status, body["status"], body["warnings"]) == (503, "failing", [])
    assert body["reason"] == "job home.sync is quarantined: no such function"


def test_a_late_run_only_degrades_where_that_is_asked_for(settings):
    settings.APSCHEDULER_HEALTH_FAILS_ON = ("no_leader",)
    rows.leader()
    rows.job(next_run_time=ago(61))
    status, body = page()
    assert (status, body["status"], body["ok"]) == (200, "degraded", True)
    assert body["warnings"] == ["the oldest due run is 61 s late (1 are due)"]


def test_a_clock_that_was_set_back_is_named_until_it_has_caught_up():
    rows.leader()
    rows.execution(due_at=ago(-3600))  # it ended 3 s later
    status, body = page()
    assert (status, body["status"]) == (503, "failing")
    assert "clock was set back: a run ended 3603 s from now" in body["reason"]
    with rows.database_clock(ago(-3603)):
        Lease.objects.update(expires_at=ago(-3700))
        assert "clock" not in page()[1]["reason"]


def test_a_clock_that_was_set_back_is_named_where_no_run_has_ended_for_long():
    rows.leader()
    Lease.objects.update(acquired_at=ago(60))
    change = Change.objects.create(job_id="n", job_uid=uuid4(), action="added", at=ago(-600))
    assert "clock was set back: a job was changed 600 s from now" in page()[1]["reason"]
    change.delete()
    Lease.objects.update(acquired_at=ago(-900))
    assert "clock was set back: the leader began 900 s from now" in page()[1]["reason"]
    Lease.objects.update(acquired_at=ago(900))
    assert "clock" not in page()[1]["reason"]


@pytest.mark.parametrize(
    ("columns", "warned"),
    [
        ({"code": "0123456789abcdef"}, True),
        ({"code": codeversion.digest()}, False),
        ({"code": ""}, False),  # it was started before it told
    ],
    ids=["another", "the same", "unknown"],
)
def test_a_scheduler_that_runs_other_code_must_be_restarted(columns, warned):
    rows.leader(**columns)
    rows.node(role="draining", code="the one before")
    status, body = page()
    assert (status, len(body["warnings"])) == (200, int(warned))
    assert all("restart the scheduler" in warning for warning in body["warnings"])


def test_a_finding_that_does_not_exist_is_refused(settings):
    settings.APSCHEDULER_HEALTH_FAILS_ON = ("late", "quarantine")
    (error,) = checks.check_settings()
    assert "'quarantine'" in error.msg
    assert "quarantined" in error.hint


def test_an_id_and_an_error_of_any_length_and_characters_are_one_line():
    rows.leader()
    rows.job("a\nb" * 60, state="quarantined", last_error="e\n" * 1000)
    (warning,) = page()[1]["warnings"]
    assert "\n" not in warning
    assert len(warning) < 620


def test_quarantined_jobs_are_named_but_the_page_stays_green():
    rows.leader()
    for number in range(7):
        rows.job(f"home.job{number}", state="quarantined", last_error="no such function")
    status, body = page()
    assert (status, body["status"]) == (200, "degraded")
    assert len(body["warnings"]) == 6
    assert body["warnings"][0] == "job home.job0 is quarantined: no such function"


def test_their_errors_do_not_tell_what_is_sensitive():
    rows.leader()
    secret = {"kwargs": '{"key":"sk_live_5"}', "sensitive": '["key"]'}
    rows.job(state="quarantined", last_error="cannot read sk_live_5", **secret)
    assert page()[1]["warnings"] == ["job home.sync is quarantined: cannot read ••••••"]


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
def test_health_of_a_database_without_tables_fails_with_the_reason(monkeypatch, error):
    def away(using):
        raise error("secret detail")

    monkeypatch.setattr(cluster, "db_now", away)
    status, body = page()
    assert status == 503
    assert "manage.py migrate" in body["reason"]
    assert "secret" not in body["reason"]


@pytest.mark.django_db(transaction=True)  # a thread mails
def test_a_database_that_cannot_be_written_hides_neither_the_reason_nor_the_mail(
    settings, monkeypatch, caplog
):
    def read_only(execute, sql, *args):
        if sql.startswith(("INSERT", "UPDATE")):
            raise OperationalError("attempt to write a readonly database")
        return execute(sql, *args)

    settings.ADMINS = ["ops@example.com"] if VERSION >= (6, 0) else [("", "ops@example.com")]
    monkeypatch.setattr(alerts, "mailer", alert_mail.Mailer())
    monkeypatch.setattr(views, "_told_alone", -math.inf)
    rows.leader(at=ago(70))
    with connection.execute_wrapper(read_only):
        answers = [page() for _ in range(3)]
    alerts.flush(5)
    assert {status for status, _ in answers} == {503}
    assert "cannot be written, it is read-only" in answers[0][1]["reason"]
    assert ["it is read-only" in message.body for message in mail.outbox] == [True]
    assert caplog.text.count("attempt to write a readonly database") == 1


def test_a_process_is_alive_until_its_ttl_is_over():
    rows.node(at=ago(6))
    rows.node(at=ago(6.001))
    assert len(health.read().cluster.alive) == 1
