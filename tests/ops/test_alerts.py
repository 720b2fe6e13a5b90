"""Who is told of what, how often, and in which words."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django import VERSION
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from scheduler import alert_mail, alerts, health, signals
from scheduler.alert_digest import Alert, Digest
from scheduler.models import Execution, Term

from tests import bodies
from tests.ops import rows

NOON = rows.NOON


@pytest.fixture(autouse=True)
def ours(settings, monkeypatch):
    """A mailer of the test's own, which sends only when it is flushed."""
    settings.ADMINS = ["ops@example.com"] if VERSION >= (6, 0) else [("", "ops@example.com")]
    settings.APSCHEDULER_BASE_URL = "https://example.com/"
    settings.APSCHEDULER_ALERT_DELAY = 3600.0
    monkeypatch.setattr(alerts, "mailer", alert_mail.Mailer())
    with rows.database_clock():
        yield


def mails() -> list[mail.EmailMessage]:
    alerts.flush(5)
    return mail.outbox


def send(signal, row, **what) -> None:
    for _, response in signal.send_robust(sender=Execution, execution=row, **what):
        assert not isinstance(response, Exception), response


@pytest.mark.django_db
def test_a_failure_is_mailed_with_the_end_of_its_traceback_and_a_link():
    lines = [f"line {number}" for number in range(40)]
    row = rows.execution(
        status="failed", exception="ValueError: no such order", traceback="\n".join(lines)
    )
    send(signals.run_failed, row, exception=None)
    (message,) = mails()
    assert message.subject.endswith("home.sync failed")
    assert message.to == ["ops@example.com"]
    assert "ValueError: no such order" in message.body
    assert f"https://example.com/admin/scheduler/execution/{row.pk}/change/" in message.body
    assert "line 39" in message.body
    assert "line 24\n" not in message.body


SECRET = {"kwargs": '{"key":"sk_live_5"}', "sensitive": '["key"]'}


@pytest.mark.django_db
def test_what_is_sensitive_is_not_mailed():
    text = {"exception": "bad sk_live_5", "traceback": "key = 'sk_live_5'"}
    send(signals.run_failed, rows.execution("a", "failed", **text, **SECRET), exception=None)
    send(signals.run_lost, rows.execution("b", "lost", reason="with sk_live_5", **SECRET))
    (message,) = mails()
    assert "bad ••••••" in message.body
    assert "sk_live_5" not in message.body


@pytest.mark.django_db
def test_an_attempt_that_has_a_retry_left_is_not_told():
    send(signals.run_failed, rows.execution(status="failed", attempt=1, max_retries=1))
    assert mails() == []
    send(signals.run_failed, rows.execution(status="timed_out", attempt=2, max_retries=1))
    assert [message.subject.partition("] ")[2] for message in mails()] == ["home.sync timed out"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("on_lost", "attempt", "told"), [("retry", 1, 0), ("retry", 2, 1), ("fail", 1, 1)]
)
def test_a_lost_attempt_is_told_unless_a_retry_follows(on_lost, attempt, told):
    lost = rows.execution(status="lost", on_lost=on_lost, attempt=attempt, max_retries=1)
    send(signals.run_lost, lost)
    assert len(mails()) == told


@pytest.mark.django_db
def test_misses_and_losses():
    send(signals.run_missed, rows.execution(status="missed", slots=5, reason="late"))
    send(signals.run_lost, rows.execution(status="lost", reason="its scheduler is gone"))
    (message,) = mails()
    assert message.subject.endswith("1 jobs: 1 lost, 5 missed")
    assert "home.sync missed 5 times" in message.body
    assert "its scheduler is gone" in message.body


@pytest.mark.django_db
@pytest.mark.parametrize(("gap", "number"), [(59.0, 0), (61.0, 1), (None, 0)])
def test_the_new_leader_tells_for_how_long_there_was_none(gap, number):
    node = rows.node()
    Term(term=3, node_id=node.pk, cause="expired", acquired_at=NOON, gap=gap).save()
    alerts.on_leader(term=3)
    assert len(mails()) == number


@pytest.mark.django_db
def test_of_all_web_workers_one_tells_that_nobody_leads_once_an_hour():
    rows.leader(at=NOON - timedelta(seconds=70))
    for _ in range(3):
        alerts.mailer = alert_mail.Mailer()  # as of another process
        alerts.on_health(health.read())
        mails()
    assert len(mail.outbox) == 1
    assert "no scheduler lives" in mail.outbox[0].body
    with rows.database_clock(NOON + timedelta(hours=1)):
        alerts.mailer = alert_mail.Mailer()
        alerts.on_health(health.read())
        assert len(mails()) == 2


@pytest.mark.django_db
def test_a_restart_is_no_alarm():
    rows.leader(at=NOON - timedelta(seconds=65))
    alerts.on_health(health.read())
    assert mails() == []


@pytest.mark.django_db
def test_alerts_can_be_switched_off(settings):
    settings.APSCHEDULER_ALERTS = False
    send(signals.run_failed, rows.execution(status="failed"))
    assert mails() == []


def test_a_storm_makes_one_mail_whose_size_is_bounded():
    for number in range(5000):
        alerts.tell(Alert("failed", f"job{number % 50}", "boom", execution_id=number))
    (message,) = mails()
    assert message.subject.endswith("50 jobs: 5000 failed")
    assert message.body.count("failed 100 times") == 20
    assert "and 30 more jobs" in message.body


def test_pace(settings):
    """The first alert waits for its companions, the next ones for the interval."""
    settings.APSCHEDULER_ALERT_DELAY, settings.APSCHEDULER_ALERT_INTERVAL = 5.0, 300.0
    pace = alert_mail.Pace()
    assert pace.wait(0) is None
    pace.gather(100)
    pace.gather(103)
    assert pace.wait(103) == 2
    pace.tried(105, sent=True)
    assert pace.wait(105) is None
    pace.gather(106)
    assert pace.wait(106) == 105 + 300 - 106
    pace.tried(405, sent=False)
    assert pace.wait(405) == 300


def test_the_thread_sends_by_itself_and_the_caller_does_not_wait(settings, monkeypatch):
    settings.APSCHEDULER_ALERT_DELAY = 0.0
    sent, release = threading.Event(), threading.Event()

    def slow_server(subject, body):
        assert release.wait(10)
        sent.set()

    monkeypatch.setattr(alert_mail, "mail_admins", slow_server)
    alerts.tell(Alert("failed", "home.sync", "boom"))
    assert not sent.is_set()
    release.set()
    assert sent.wait(10)


def test_a_mail_that_fails_is_kept_and_its_count_goes_on(monkeypatch, caplog):
    class Down(EmailBackend):
        broken = True

        def send_messages(self, messages):
            if Down.broken:
                raise OSError("connection refused")
            return super().send_messages(messages)

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend", Down)
    alerts.tell(Alert("failed", "home.sync", "first"))
    assert mails() == []
    assert "Alert not mailed" in caplog.text
    Down.broken = False
    again = alert_mail.Mailer()
    again._digest = alerts.mailer._digest
    again.put(Alert("failed", "home.sync", "second"))
    again.flush(5)
    assert mail.outbox[0].subject.endswith("home.sync failed 2 times")
    assert "second" in mail.outbox[0].body


def test_without_admins_nothing_is_gathered_and_no_thread_begins(settings):
    settings.ADMINS = []
    alerts.tell(Alert("failed", "home.sync", "boom"))
    assert alerts.mailer._thread is None
    assert mails() == []


def test_without_an_admin_there_is_no_link(settings):
    settings.ROOT_URLCONF = "tests.ops.no_urls"
    digest = Digest()
    digest.add(Alert("failed", "home.sync", "boom", execution_id=1))
    assert digest.body() == "home.sync failed\n  boom\n"


class TestSentry:
    """Its own client, with a transport that keeps what it would send."""

    @pytest.fixture
    def events(self):
        kept: list[dict] = []
        with sentry(kept, dsn="http://key@localhost/1"):
            yield kept

    def test_an_exception_that_is_at_hand(self, events):
        alerts.tell(Alert("failed", "home.sync", "boom", execution_id=5), ValueError("boom"))
        (event,) = events
        assert event["exception"]["values"][0]["type"] == "ValueError"
        assert event["tags"]["job"] == "home.sync"
        assert event["contexts"]["execution"]["id"] == 5

    @pytest.mark.django_db
    def test_an_exception_that_holds_what_is_sensitive_stays_here(self, events):
        """Its frames have local variables."""
        row = rows.execution(status="failed", exception="ValueError: bad sk_live_5", **SECRET)
        try:
            bodies.refuse(key="sk_live_5")
        except ValueError as error:
            send(signals.run_failed, row, exception=error)
        (event,) = events
        assert event["message"] == "home.sync failed: ValueError: bad ••••••"
        assert "sk_live_5" not in str(event)

    def test_a_run_whose_process_is_gone(self, events):
        alerts.tell(Alert("lost", "home.sync", "its scheduler is gone"))
        (event,) = events
        assert event["message"] == "home.sync lost: its scheduler is gone"
        assert event["fingerprint"] == ["lost", "home.sync"]
        assert event["level"] == "error"

    def test_without_a_dsn_nothing_is_sent(self):
        kept: list[dict] = []
        with sentry(kept, dsn=None):
            alerts.tell(Alert("lost", "home.sync", "its scheduler is gone"))
        assert kept == []


@contextmanager
def sentry(kept: list[dict], dsn: str | None):
    sentry_sdk = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")

    class Keep(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            kept.append(envelope.get_event())

    with sentry_sdk.isolation_scope():
        sentry_sdk.init(dsn=dsn, transport=Keep)
        yield
        sentry_sdk.init(dsn=None)


@pytest.mark.parametrize("name", ["run_failed", "run_missed", "run_lost", "became_leader"])
def test_the_receivers_are_connected(name):
    assert getattr(signals, name).has_listeners(Execution)
