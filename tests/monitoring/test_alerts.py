"""Who is told of what, how often, and in which words."""

from __future__ import annotations

import threading
import traceback
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django import VERSION
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError
from django.urls import get_script_prefix, set_script_prefix
from scheduler import signals
from scheduler.engine.executors import runner
from scheduler.models import Execution, Term
from scheduler.monitoring import alerts, health, notices
from scheduler.monitoring import mailer as alert_mail
from scheduler.monitoring.digest import Alert, Digest

from tests import bodies
from tests.monitoring import rows

pytestmark = pytest.mark.django_db(transaction=True)  # mails are sent by a thread
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


def test_what_is_sensitive_is_not_mailed():
    text = {"exception": "bad sk_live_5", "traceback": "key = 'sk_live_5'"}
    send(signals.run_failed, rows.execution("a", "failed", **text, **SECRET), exception=None)
    send(signals.run_lost, rows.execution("b", "lost", reason="with sk_live_5", **SECRET))
    (message,) = mails()
    assert "bad ••••••" in message.body
    assert "sk_live_5" not in message.body


def test_an_attempt_that_has_a_retry_left_is_not_told():
    send(signals.run_failed, rows.execution(status="failed", attempt=1, max_retries=1))
    assert mails() == []
    send(signals.run_failed, rows.execution(status="timed_out", attempt=2, max_retries=1))
    assert [message.subject.partition("] ")[2] for message in mails()] == ["home.sync timed out"]


@pytest.mark.parametrize(
    ("on_lost", "attempt", "told"), [("retry", 1, 0), ("retry", 2, 1), ("fail", 1, 1)]
)
def test_a_lost_attempt_is_told_unless_a_retry_follows(on_lost, attempt, told):
    lost = rows.execution(status="lost", on_lost=on_lost, attempt=attempt, max_retries=1)
    send(signals.run_lost, lost)
    assert len(mails()) == told


def test_missed_and_lost_runs_are_mailed():
    send(signals.run_missed, rows.execution(status="missed", slots=5, reason="late"))
    send(signals.run_lost, rows.execution(status="lost", reason="its scheduler is gone"))
    (message,) = mails()
    assert message.subject.endswith("1 job: 1 lost, 5 missed")
    assert "home.sync missed 5 times" in message.body
    assert "its scheduler is gone" in message.body


@pytest.mark.parametrize(("gap", "number"), [(59.0, 0), (61.0, 1), (None, 0)])
def test_the_new_leader_tells_for_how_long_there_was_none(gap, number):
    node = rows.node()
    Term(term=3, node_id=node.pk, cause="expired", acquired_at=NOON, gap=gap).save()
    alerts.on_leader(term=3)
    assert len(mails()) == number


def test_a_new_leader_looks_at_problems_once_its_own_heartbeats_tell_of_them(monkeypatch):
    """Else a problem that the last one reported would be over with each restart."""
    clock = [100.0]
    looks: list[float] = []
    monkeypatch.setattr(alerts, "monotonic", lambda: clock[0])
    monkeypatch.setattr(alerts.problems, "check", lambda: looks.append(clock[0]) or [])
    node = rows.node()
    Term(term=3, node_id=node.pk, cause="expired", acquired_at=NOON).save()
    alerts.on_leader(term=3)
    for clock[0] in (100.1, 109.9, 110.1, 111.0):
        alerts.on_housekeeping()
    assert looks == [110.1]


def test_of_all_web_workers_one_tells_that_nobody_leads_once_an_hour():
    rows.leader(at=NOON - timedelta(seconds=70))
    for _ in range(3):
        alerts.mailer = alert_mail.Mailer()  # as of another process
        alerts.on_health(health.read())
        mails()
    assert len(mail.outbox) == 1
    assert "no scheduler is running" in mail.outbox[0].body
    with rows.database_clock(NOON + timedelta(hours=1)):
        alerts.mailer = alert_mail.Mailer()
        alerts.on_health(health.read())
        assert len(mails()) == 2


def test_a_restart_is_no_alarm():
    rows.leader(at=NOON - timedelta(seconds=65))
    alerts.on_health(health.read())
    assert mails() == []


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


def test_the_first_alert_waits_for_its_companions_and_the_next_ones_for_the_interval(settings):
    """The first alert waits for its companions, the next ones for the interval."""
    settings.APSCHEDULER_ALERT_DELAY, settings.APSCHEDULER_ALERT_INTERVAL = 5.0, 300.0
    throttle = alert_mail.Throttle()
    assert throttle.wait(0) is None
    throttle.gather(100)
    throttle.gather(103)
    assert throttle.wait(103) == 2
    throttle.tried(105, sent=True)
    assert throttle.wait(105) is None
    throttle.gather(106)
    assert throttle.wait(106) == 105 + 300 - 106
    throttle.tried(405, sent=False)
    assert throttle.wait(405) == 300


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
    with rows.database_clock(NOON + timedelta(seconds=300)):
        again.flush(5)
    assert mail.outbox[0].subject.endswith("home.sync failed 2 times")
    assert "second" in mail.outbox[0].body


def another_process() -> None:
    """The process ended, and another one begins."""
    alerts.flush(5)
    alerts.mailer = alert_mail.Mailer()


def test_processes_that_restart_again_and_again_share_one_limit():
    """Eight restarts in seven minutes made eight mails of one job."""
    for restart in range(8):
        with rows.database_clock(NOON + timedelta(seconds=52 * restart)):
            alerts.tell(Alert("failed", "home.sync", f"failure {restart}"))
            another_process()
    assert [message.subject.partition("] ")[2] for message in mail.outbox] == [
        "home.sync failed",
        "home.sync failed 6 times",
    ]
    assert "failure 6" in mail.outbox[1].body


def test_what_an_ended_process_left_is_mailed_by_the_next_leader():
    node = rows.node()
    Term(term=3, node_id=node.pk, cause="released", acquired_at=NOON, gap=0.0).save()
    for text in ("first", "second"):
        alerts.tell(Alert("failed", "home.sync", text))
        another_process()
    assert len(mail.outbox) == 1
    with rows.database_clock(NOON + timedelta(seconds=300)):
        alerts.on_leader(term=3)
        another_process()
    assert "second" in mail.outbox[1].body
    with rows.database_clock(NOON + timedelta(seconds=600)):
        alerts.on_leader(term=3)
        another_process()
    assert len(mail.outbox) == 2


def test_a_process_whose_turn_has_not_come_waits_for_it(settings):
    """Two processes fail at once: the second one's alerts wait for the next mail."""
    settings.APSCHEDULER_ALERT_DELAY = 0.0
    first, second = alert_mail.Mailer(), alert_mail.Mailer()
    first.put(Alert("failed", "a", "boom"))
    first.flush(5)
    digest = Digest()
    digest.add(Alert("failed", "b", "boom"))
    assert alert_mail._mail_in_turn(digest, flushing=False) == 300.0
    assert digest
    second.put(Alert("failed", "b", "boom"))
    with rows.database_clock(NOON + timedelta(seconds=300)):
        second.flush(5)
    assert [message.subject.partition("] ")[2] for message in mail.outbox] == [
        "a failed",
        "b failed",
    ]


def test_a_clock_that_was_set_back_stops_no_mail():
    alerts.tell(Alert("failed", "a", "boom"))
    another_process()
    with rows.database_clock(NOON - timedelta(hours=1)):
        alerts.tell(Alert("failed", "b", "boom"))
        another_process()
    assert len(mail.outbox) == 2


def test_an_alert_about_the_database_is_mailed_without_the_database(monkeypatch, caplog):
    def away(interval):
        raise OperationalError("no route to host")

    monkeypatch.setattr(notices, "take_mail_turn", away)
    alerts.tell(Alert("no leader", "", "no leader for 70 s"))
    assert [message.subject.partition("] ")[2] for message in mails()] == ["No leader"]
    assert "each process alone" in caplog.text


@pytest.mark.parametrize("job_id", ["a\nb", "a\rb", "a\x1b[31mb", "x" * 250])
def test_an_id_of_any_characters_stops_no_mail(job_id):
    """Django refuses a subject with a newline: such an alert was tried again for ever."""
    alerts.tell(Alert("failed", job_id, "boom"))
    (message,) = mails()
    subject = message.subject.partition("] ")[2]
    assert subject.endswith(" failed")
    assert subject.isprintable()
    assert len(subject) <= 90


def test_the_engine_s_own_frames_are_not_mailed():
    try:
        runner._call(SimpleNamespace(func="tests.bodies:refuse", args="[]", kwargs='{"key": "x"}'))
    except ValueError as error:
        of_engine = error.__traceback__.tb_next  # its caller here is this test
        text = "".join(traceback.format_exception(type(error), error, of_engine))
    assert "engine/executors/runner.py" in text
    digest = Digest()
    digest.add(Alert("failed", "home.sync", "boom", text))
    body = digest.body()
    assert "runner.py" not in body
    assert body.index("Traceback (most recent call last):") < body.index("bodies.py")
    assert "ValueError" in body


def test_a_text_of_any_length_makes_a_mail_of_bounded_length():
    alerts.tell(Alert("failed", "a", "e" * 20_000_000, "e" * 20_000_000))
    (message,) = mails()
    assert len(message.body) < 5000
    assert "(20000000 characters)" in message.body


def test_without_admins_nothing_is_gathered_and_no_thread_begins(settings):
    settings.ADMINS = []
    alerts.tell(Alert("failed", "home.sync", "boom"))
    assert alerts.mailer._thread is None
    assert mails() == []


@pytest.mark.parametrize("of_request", ["/", "/app/"], ids=["scheduler", "web under SCRIPT_NAME"])
@pytest.mark.parametrize(
    ("base", "forced"),
    [
        ("https://example.com/app/", None),
        ("https://example.com/app", "/app"),
        ("https://example.com", "/app"),
    ],
)
def test_a_link_below_a_path_holds_it_once(settings, base: str, forced, of_request: str):
    """Web workers know the prefix from their requests, a scheduler and the mailer's thread not."""
    settings.APSCHEDULER_BASE_URL, settings.FORCE_SCRIPT_NAME = base, forced
    digest = Digest()
    digest.add(Alert("failed", "a.b", "boom", execution_id=7))
    before = get_script_prefix()
    set_script_prefix(of_request)
    try:
        body = digest.body()
    finally:
        set_script_prefix(before)
    links = [line.strip() for line in body.splitlines() if "://" in line]
    assert links == ["https://example.com/app/admin/scheduler/execution/7/change/"]


def test_without_an_admin_there_is_no_link(settings):
    settings.ROOT_URLCONF = "tests.monitoring.no_urls"
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


def test_a_run_that_outlasts_its_warning_is_mailed():
    send(signals.run_overdue, rows.execution("stuck", "running", warn_after=600.0))
    (letter,) = mails()
    assert "stuck overdue" in letter.subject
    assert "still running after 600 s" in letter.body


@pytest.mark.parametrize(
    "name",
    ["run_failed", "run_missed", "run_lost", "run_overdue", "became_leader", "housekeeping"],
)
def test_the_receivers_are_connected(name):
    assert getattr(signals, name).has_listeners(Execution)
