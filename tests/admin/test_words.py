"""What the pages say: what a button is called, and what is not offered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone
from scheduler import declarations
from scheduler.admin.bulk import SELECTED
from scheduler.admin.health import Health
from scheduler.admin.timeline import WIDTH, Tick
from scheduler.models import Job, Lease

pytestmark = pytest.mark.django_db

LIST = "/admin/scheduler/job/"
ROW = "demo_app.sync_stock"
JOB = f"{LIST}demo_5Fapp.sync_5Fstock/"


def told(answer) -> list[tuple[str, str]]:
    return [(each.level_tag, str(each)) for each in get_messages(answer.wsgi_request)]


def test_the_last_label_of_the_timeline_ends_at_its_edge():
    assert [Tick(x, "12:00").anchor for x in (170, WIDTH - 40, WIDTH)] == ["middle"] * 2 + ["end"]


def test_actions_on_ticked_jobs_have_one_form():
    assert [action.short_description for action in SELECTED] == [
        "Run selected jobs now",
        "Pause selected jobs",
        "Resume selected jobs",
        "Try selected jobs again",
        "Reset selected jobs to declaration",
        "Retire selected jobs",
        "Remove selected jobs",
    ]


def test_a_job_is_removed_and_nowhere_deleted(admin_client, declared):
    ticked = {"action": "delete_selected", "_selected_action": [ROW, "demo_app.heartbeat"]}
    one, many = admin_client.get(f"{JOB}delete/"), admin_client.post(LIST, ticked)
    assert one.context["title"] == "Remove this job?"
    assert many.context["title"] == "Remove these jobs?"
    for page in (one, many, admin_client.get(LIST)):
        assert "delete selected" not in page.content.decode().lower()
    answer = admin_client.post(LIST, {**ticked, "post": "yes"})
    assert told(answer) == [("success", "2 jobs removed.")]
    answer = admin_client.post(f"{LIST}demo_5Fapp.charge_5Fcards/delete/", {"post": "yes"})
    assert told(answer)[-1] == ("success", "Job Charge cards was removed.")
    assert answer.url == LIST


def test_results_are_counted_only_where_something_was_asked(admin_client, declared):
    assert "Show all" not in admin_client.get(LIST).content.decode()
    for asked in ("?q=stock", "?state__exact=active"):
        assert "Show all" in admin_client.get(LIST + asked).content.decode()


def offered(client) -> set[str]:
    return {action.name for action in client.get(f"{JOB}change/").context["offered"]}


def test_what_the_code_declares_no_more_can_not_come_back(admin_client, declared):
    Job.objects.filter(pk=ROW).update(state="retired")
    resume = f'formaction="{JOB}resume/'
    assert offered(admin_client) == {"resume", "reset"}
    assert resume in admin_client.get(LIST).content.decode()
    declarations._declared[:] = [each for each in declarations._declared if each.id != ROW]
    assert offered(admin_client) == set()
    page = admin_client.get(f"{JOB}change/").content.decode()
    assert "was declared in code, but is not any more" in page
    assert resume not in admin_client.get(LIST).content.decode()


def test_a_module_that_fails_to_import_takes_no_button_away(admin_client, declared, monkeypatch):
    Job.objects.filter(pk=ROW).update(state="retired")
    declarations._declared[:] = [each for each in declarations._declared if each.id != ROW]
    monkeypatch.setitem(declarations.errors, "demo_app", "SyntaxError")
    monkeypatch.setattr(declarations, "autodiscover", lambda: None)
    assert offered(admin_client) == {"resume", "reset"}


def test_a_lease_that_is_renewed_while_the_page_is_read_was_not_renewed_in_the_future():
    now = timezone.now()
    renewed = Lease(renewed_at=now + timedelta(milliseconds=403))
    assert Health(renewed, (), (), now).lease_age == timedelta()
