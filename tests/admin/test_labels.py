"""Two jobs of one function can be told apart on every page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags
from scheduler.admin.display.labels import breakable
from scheduler.models import Execution, Job
from scheduler.models.runspec import label

pytestmark = pytest.mark.django_db

ADMIN = "/admin/scheduler/"
IDS = ("reminder-1", "reminder-2")


@pytest.fixture
def reminders() -> list[Execution]:
    """One failed run of each of two jobs that are named as APScheduler names them."""
    from scheduler import scheduler

    from tests.demo_app.jobs import fail

    at = timezone.now() - timedelta(minutes=1)
    made = []
    for id in IDS:
        scheduler.add_job(fail, "interval", hours=1, id=id)
        job = Job.objects.get(pk=id)
        assert job.name == "fail"
        made.append(
            Execution.objects.create(
                job_id=job.pk,
                job_uid=job.uid,
                job_name=job.name,
                func=job.func,
                status="failed",
                due_at=at,
                queued_at=at,
                started_at=at,
                finished_at=at,
            )
        )
    return made


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", "id"), ("send", "id"), ("Mail.send", "id"), ("Reminder", "Reminder"), ("Mail", "Mail")],
)
def test_a_job_is_called_by_its_id_unless_somebody_named_it(name, shown):
    assert label("id", name, "shop.jobs:Mail.send") == shown


def test_the_overview_tells_jobs_of_one_function_apart(admin_client, reminders):
    answer = admin_client.get(ADMIN)
    overview = strip_tags(answer.content.decode())
    for run in reminders:
        assert f"{run.job_id} #{run.pk}" in overview  # among the problems
    lanes = answer.content.decode().count("<title>reminder-")
    assert lanes == 2
    for id in IDS:
        assert overview.count(id) >= 4  # title and text of its lane, next runs, problems


def test_the_list_of_executions_and_the_page_of_one_tell_them_apart(admin_client, reminders):
    rows = strip_tags(admin_client.get(f"{ADMIN}execution/").content.decode())
    for run in reminders:
        assert run.job_id in rows
        page = admin_client.get(f"{ADMIN}execution/{run.pk}/change/").content.decode()
        assert f">{run.job_id}</a>" in page


def test_the_page_of_an_execution_shows_the_id_beside_a_name(admin_client, reminders):
    run = reminders[0]
    Execution.objects.filter(pk=run.pk).update(job_name="First reminder")
    page = strip_tags(admin_client.get(f"{ADMIN}execution/{run.pk}/change/").content.decode())
    assert f"First reminder {run.job_id}" in page


def test_a_long_id_may_break_where_its_words_end():
    assert breakable("home.<b>:run") == "home.&lt;b&gt;:<wbr>run"
    assert breakable("demo_app.mail_all.") == "demo_app.<wbr>mail_all."
    assert breakable("delete_old_executions") == "delete_<wbr>old_<wbr>executions"


def test_attempts_are_told_only_where_there_are_retries(admin_client, reminders):
    url = f"{ADMIN}execution/"
    assert "attempt 1 of" not in admin_client.get(url).content.decode()
    Execution.objects.filter(pk=reminders[0].pk).update(max_retries=2)
    assert "attempt 1 of 3" in admin_client.get(url).content.decode()
