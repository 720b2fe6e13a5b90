"""Runs without a job in commands, health, metrics, mails and the admin's pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django import VERSION
from django.core import mail
from django.test import RequestFactory
from django.test.utils import override_settings
from django.utils.html import strip_tags
from scheduler import scheduler
from scheduler.errors import UnknownJobError
from scheduler.models import Execution
from scheduler.models.execution import TASK_PREFIX
from scheduler.monitoring import alerts, health, views
from scheduler.monitoring import mailer as alert_mail
from scheduler.testing import drain, run_due, scheduler_clock

from tests.management.test_subcommands import answer, call

from . import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db

ID = "task:tests.tasks.bodies.fail"
LIST = "/admin/scheduler/execution/"
WITH_RETRIES = {
    "default": {
        "BACKEND": "scheduler.tasks.SchedulerBackend",
        "OPTIONS": {"max_retries": 1, "retry_delay": 60},
    }
}


@pytest.fixture
def failed(scheduler_clock) -> Execution:
    bodies.fail.enqueue("no order 7")
    [row] = run_due()
    return row


@pytest.fixture
def waiting(scheduler_clock) -> Execution:
    bodies.add.enqueue(1)
    return Execution.objects.get(status="queued")


class TestCommands:
    def test_history_lists_them(self, failed, waiting):
        assert [row["id"] for row in answer("history")] == [waiting.pk, failed.pk]
        [row] = answer("history", ID, "--status", "failed")
        assert (row["kind"], row["exception"]) == ("task", "LookupError: no order 7")

    def test_a_queued_one_is_cancelled(self, waiting):
        code, said = call("cancel", str(waiting.pk), "--by", "ada")
        assert (code, said) == (0, f"Execution {waiting.pk} of {waiting.job_id}: cancelled\n")
        assert bodies.add.get_result(str(waiting.job_uid)).errors
        assert run_due() == []

    def test_one_that_has_ended_is_not(self, failed):
        assert call("cancel", str(failed.pk)) == (1, f"Execution {failed.pk} has ended: failed")

    @pytest.mark.parametrize("name", ["show", "run", "pause", "resume", "remove"])
    def test_what_is_about_jobs_says_that_it_has_none(self, failed, name):
        code, said = call(name, ID)
        assert code == 3
        assert "a task has no job. Enqueue it to run it; the history lists its runs" in said

    def test_no_list_of_jobs_names_it(self, failed, waiting):
        assert answer("list") == []

    def test_the_audit_owes_it_nothing(self, failed, waiting):
        found = answer("audit")
        assert (found["jobs"], found["unexplained"], found["notes"]) == (0, [], [])

    def test_the_status_counts_those_that_are_due(self, waiting):
        assert "1 due" in call("status")[1]


def test_a_job_may_not_take_the_id_of_a_task():
    with pytest.raises(ValueError, match="may not begin with 'task:'"):
        scheduler.add_job(bodies.add, "interval", minutes=5, args=[1], id="task:sum")
    assert TASK_PREFIX == "task:"


def test_a_run_of_a_task_is_not_asked_for_as_one_of_a_job(failed):
    with pytest.raises(UnknownJobError, match="a task has no job"):
        scheduler.run_now(ID)


class TestMonitoring:
    @pytest.fixture
    def mails(self, settings, monkeypatch, transactional_db):
        settings.ADMINS = ["ops@example.com"] if VERSION >= (6, 0) else [("", "ops@example.com")]
        settings.APSCHEDULER_BASE_URL = "https://example.com/"
        settings.APSCHEDULER_ALERT_DELAY = 3600.0
        monkeypatch.setattr(alerts, "mailer", alert_mail.Mailer())

        def sent() -> list[mail.EmailMessage]:
            alerts.flush(5)
            return mail.outbox

        return sent

    def test_a_failure_is_mailed(self, mails, failed):
        [message] = mails()
        assert message.subject.endswith(f"{ID} failed")
        assert "LookupError: no order 7" in message.body
        assert f"https://example.com{LIST}{failed.pk}/change/" in message.body

    def test_only_the_last_attempt_is_mailed(self, mails, scheduler_clock):
        with override_settings(TASKS=WITH_RETRIES):
            bodies.fail.enqueue("no order 7")
            run_due()
            assert mails() == []
            drain()
        [message] = mails()
        assert message.subject.endswith(f"{ID} failed")

    def test_health_says_that_one_is_late(self, waiting, scheduler_clock):
        due = health.read_due(scheduler_clock.now() + timedelta(minutes=5), "default")
        assert (due.number, due.oldest) == (1, 300)

    def test_one_with_run_after_is_not_late_before(self, scheduler_clock):
        bodies.add.using(run_after=scheduler_clock.now() + timedelta(hours=1)).enqueue(1)
        assert health.read_due(scheduler_clock.now(), "default").number == 0

    def test_metrics_count_its_runs(self, settings, failed, waiting):
        settings.APSCHEDULER_METRICS_TOKEN = "secret"
        drain()
        asked = RequestFactory().get("/metrics", headers={"authorization": "Bearer secret"})
        text = views.metrics(asked).content.decode()
        assert f'scheduler_runs_total{{job_id="{ID}",outcome="failed"}} 1' in text
        assert f'scheduler_runs_total{{job_id="{waiting.job_id}",outcome="succeeded"}} 1' in text


class TestAdmin:
    @pytest.mark.parametrize(
        "query",
        ["kind=task", f"job={ID}", "status=failed", "when=hour", "q=bodies.FAIL", "q={uid}"],
    )
    def test_filters_find_it(self, admin_client, failed, query):
        bodies.note.enqueue(1)
        scheduler.add_job(bodies.add, "interval", hours=1, args=[1], id="other")
        scheduler.run_now("other")
        run_due()
        page = admin_client.get(f"{LIST}?{query.format(uid=failed.job_uid)}")
        found = [row.pk for row in page.context["cl"].result_list]
        assert failed.pk in found
        assert len(found) == {"kind=task": 2, "when=hour": 3}.get(query, 1)

    def test_all_attempts_of_a_result_are_found_by_its_id(self, admin_client, scheduler_clock):
        with override_settings(TASKS=WITH_RETRIES):
            result = bodies.fail.enqueue("no order 7")
            drain()
        page = admin_client.get(f"{LIST}?q={result.id.upper()}")
        assert [row.attempt for row in page.context["cl"].result_list] == [2, 1]

    def test_its_page_says_how_it_was_enqueued(self, admin_client, failed):
        page = admin_client.get(f"{LIST}{failed.pk}/change/").content.decode()
        text = " ".join(strip_tags(page.replace("<wbr>", "").replace("</dt>", " ")).split())
        assert "Queue default, priority 0, backend default" in text
        assert f"Result id {failed.job_uid}" in text
        assert "Scheduled enqueued" in text
        assert "of this job" not in text

    def test_it_is_tried_again_under_the_same_result(self, admin_client, failed):
        admin_client.post(f"{LIST}{failed.pk}/retry/")
        result = bodies.fail.get_result(str(failed.job_uid))
        assert (result.status, result.attempts) == ("READY", 1)
        drain()
        result.refresh()
        assert (result.status, len(result.errors)) == ("FAILED", 2)
        again = Execution.objects.latest("pk")
        assert (again.requested_by, again.task_queue, again.attempt) == ("admin", "default", 2)

    def test_it_is_cancelled_and_deleted(self, admin_client, waiting):
        admin_client.post(f"{LIST}{waiting.pk}/cancel/")
        waiting.refresh_from_db()
        assert (waiting.status, waiting.reason) == ("cancelled", "cancelled by admin")
        admin_client.post(f"{LIST}{waiting.pk}/delete/", {"post": "yes"})
        assert not Execution.objects.exists()

    def test_the_overview_shows_it_among_problems_and_in_the_timeline(self, admin_client, failed):
        page = admin_client.get("/admin/scheduler/")
        overview = page.context["overview"]
        assert [(p.last.job_id, p.message) for p in overview.problems] == [
            (ID, "LookupError: no order 7")
        ]
        assert "/admin/scheduler/job/task" not in page.content.decode()

    @pytest.mark.parametrize("page", ["change", "history", "run"])
    def test_it_has_no_page_of_a_job(self, admin_client, failed, page):
        assert admin_client.get(f"/admin/scheduler/job/{ID}/{page}/").status_code in (302, 404, 405)
