"""What can be stored but hardly shown: ends of the calendar, keys of no row, deep nesting."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core import mail
from django.db.models.signals import pre_save
from django.test import Client
from scheduler.models import Job

from .posting import fields_of

pytestmark = pytest.mark.django_db

JOBS = "/admin/scheduler/job/"
EXECUTIONS = "/admin/scheduler/execution/"
ENDS = {
    "first": datetime(1, 1, 1, tzinfo=UTC),
    "last": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("end", ENDS)
def test_a_job_at_an_end_of_the_calendar_breaks_no_page(settings, admin_client, zone, end):
    settings.TIME_ZONE = zone
    at = ENDS[end]
    trigger = json.dumps({"type": "date", "run_date": at.isoformat(), "timezone": "UTC"})
    Job.objects.create(
        id="end",
        func="tests.demo_app.jobs:heartbeat",
        trigger=trigger,
        planned_trigger=trigger,
        next_run_time=at,
    )
    pages = (f"{JOBS}end/{page}/" for page in ("change", "run", "history", "delete"))
    for page in ("/admin/scheduler/", JOBS, *pages):
        assert admin_client.get(page).status_code == 200, page


@pytest.mark.parametrize("name", ["executor", "state__exact", "last", "declared", "q"])
def test_a_filter_with_a_nul_says_so_and_leads_to_the_list(admin_client, name):
    answer = admin_client.get(JOBS, {name: "a\0"}, follow=True)
    assert answer.redirect_chain == [(JOBS, 302)]
    assert "A filter had a character" in answer.content.decode()


@pytest.mark.parametrize("key", ["x", "a\0", "-1", "9" * 30])
@pytest.mark.parametrize("page", [JOBS, EXECUTIONS])
def test_a_ticked_key_of_no_row_is_passed_over(admin_client, page, key):
    action = "pause_selected" if page == JOBS else "cancel_selected"
    answer = admin_client.post(page, {"action": action, "_selected_action": [key]})
    assert answer.status_code in (200, 302)


@pytest.mark.parametrize("id", [".", ".."])
def test_an_id_that_no_address_can_hold_is_refused(admin_client, id):
    answer = added(admin_client, id=id)
    assert "more than dots" in str(answer.context["form"].errors["id"])


@pytest.mark.parametrize("depth", [300, 1_000, 50_000])
def test_deep_nesting_is_an_error_of_its_field(admin_client, depth):
    member = '{"type":"interval","seconds":60}'
    deep = '{"type":"and","triggers":[' * depth + member + "]}" * depth
    answer = added(admin_client, schedule="json", json_text=deep)
    assert "json_text" in answer.context["form"].errors


def test_the_mail_about_a_failed_form_holds_no_argument(settings, declared):
    settings.ADMINS = [("Admin", "admin@example.com")]
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser("boss"))

    def fail(sender, **_):
        raise RuntimeError("the disk is full")

    pre_save.connect(fail, sender=LogEntry)
    try:
        answer = added(client, "resize_images", arg_folder="hunter2-canary")
    finally:
        pre_save.disconnect(fail, sender=LogEntry)
    assert answer.status_code == 500
    (letter,) = mail.outbox
    assert "the disk is full" in letter.body
    assert "hunter2-canary" not in letter.body


def added(client, function: str = "heartbeat", **fields: str):
    page = f"{JOBS}add/?func=tests.demo_app.jobs:{function}"
    return client.post(page, {**fields_of(client.get(page)), "interval_days": 1, **fields})
