"""Adding and changing jobs in the admin: what is refused and why, what is kept, what is shown."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from scheduler import triggers
from scheduler.admin.fields.triggers import initial_of, trigger_from
from scheduler.models import Change, Job

from .posting import fields_of

pytestmark = pytest.mark.django_db

ADD = "/admin/scheduler/job/add/?func=tests.demo_app.jobs:"
PLAIN = {
    "schedule": "interval",
    "interval_minutes": "5",
    "timezone": "UTC",
    "executor": "default",
    "max_instances": "1",
    "coalesce": "on",
    "max_retries": "0",
    "retry_delay": "0",
    "on_lost": "fail",
}
CRON = {**PLAIN, "schedule": "crontab", "crontab_expr": "30 2 * * *", "timezone": "Europe/Berlin"}

# What is entered: the field that carries the error, and a part of what it says.
REFUSED = {
    "no interval": ({"interval_minutes": ""}, "interval_seconds", "interval is zero"),
    "negative": ({"interval_minutes": "-1"}, "interval_minutes", "greater than or equal to 0"),
    "no number": ({"interval_minutes": "x"}, "interval_minutes", "whole number"),
    "zone": ({"timezone": "Europe/Atlantis"}, "timezone", "valid choice"),
    "kind": ({"schedule": "sometimes"}, "schedule", "valid choice"),
    "crontab": (
        {**CRON, "crontab_expr": "61 * * * *"},
        "crontab_expr",
        "is not a number from 0 to 59",
    ),
    "crontab empty": ({**CRON, "crontab_expr": ""}, "crontab_expr", ""),
    "crontab fields": ({**CRON, "crontab_expr": "* * *"}, "crontab_expr", "expected 5"),
    "cron field": ({"schedule": "cron", "cron_hour": "25"}, "cron_hour", ""),
    "never": ({"schedule": "cron", "cron_month": "2", "cron_day": "30"}, "cron_", ""),
    "calendar": ({"schedule": "calendarinterval"}, "calendarinterval_", ""),
    "calendar hour": (
        {
            "schedule": "calendarinterval",
            "calendarinterval_days": "1",
            "calendarinterval_hour": "24",
        },
        "calendarinterval_hour",
        "less than or equal to 23",
    ),
    "past": ({"schedule": "date", "date_run_date": "2001-01-01"}, "date_run_date", "never runs"),
    "no date": ({"schedule": "date", "date_run_date": "soon"}, "date_run_date", ""),
    "json": ({"schedule": "json", "json_text": "{"}, "json_text", "not JSON"),
    "json type": ({"schedule": "json", "json_text": '{"type": "x"}'}, "json_text", "is unknown"),
    "window": ({"start_date": "2030-01-02", "end_date": "2030-01-01"}, "", ""),
    "jitter": ({"jitter": "-1"}, "jitter", "greater than or equal to 0"),
    "executor": ({"executor": "moon"}, "executor", "valid choice"),
    "instances": ({"max_instances": "0"}, "max_instances", "greater than or equal to 1"),
    "retries": ({"max_retries": "-1"}, "max_retries", "greater than or equal to 0"),
    "timeout": ({"timeout": "0"}, "timeout", "greater than or equal"),
    "timeout of a thread": ({"timeout": "5"}, "timeout", "Only a process can be stopped"),
    "grace": ({"misfire_grace_time": "soon"}, "misfire_grace_time", "whole number"),
    "missing argument": ({"arg_folder": ""}, "arg_folder", "required"),
    "type of an argument": ({"arg_width": "wide"}, "arg_width", "whole number"),
    "type float": ({"arg_quality": "good"}, "arg_quality", "number"),
    "long argument": ({"arg_width": "9" * 4000}, "arg_width", "bits is too long"),
    "too many days": ({"interval_days": str(2**31)}, "interval_days", "too long"),
    "too many hours": ({"interval_hours": str(2**31)}, "interval_hours", "never runs"),
    "too many weeks": (
        {"schedule": "calendarinterval", "calendarinterval_weeks": str(2**31)},
        "calendarinterval_weeks",
        "never runs",
    ),
    "over": ({"end_date": "2001-01-01"}, "end_date", "never runs"),
    "digits": ({"start_date": "1" * 5000}, "start_date", "no date or time"),
    "long id": ({"id": "x" * 256}, "id", "at most 255"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_at_its_field(admin_client, case):
    entered, field, message = REFUSED[case]
    page = admin_client.post(f"{ADD}resize_images", {**PLAIN, "arg_folder": "/tmp", **entered})
    errors = page.context["form"].errors
    assert page.status_code == 200
    assert any(name.startswith(field) for name in errors), errors
    assert message in str(errors)
    assert not Job.objects.exists()


def test_a_job_is_added_with_what_was_entered(admin_client, admin_user):
    entered = {
        **CRON,
        "arg_folder": "/srv/new",
        "arg_quality": "0.5",
        "id": "small",
        "name": "Small",
    }
    admin_client.post(f"{ADD}resize_images", {**entered, "max_retries": "3", "warn_after": "60"})
    job = Job.objects.get()
    assert (job.pk, job.name, job.func) == ("small", "Small", "tests.demo_app.jobs:resize_images")
    assert json.loads(job.kwargs) == {"folder": "/srv/new", "quality": 0.5}
    assert triggers.describe(triggers.loads(job.trigger)) == "At 02:30 (Europe/Berlin)"
    assert (job.max_retries, job.warn_after, job.state) == (3, 60, "active")
    assert job.next_run_time is not None
    assert Change.objects.get().by == admin_user.get_username()
    assert "At 02:30 (Europe/Berlin)" in LogEntry.objects.get().change_message


def test_a_job_may_be_added_paused(admin_client):
    admin_client.post(f"{ADD}heartbeat", {**PLAIN, "paused": "on"})
    job = Job.objects.get()
    assert (job.pk, job.state, job.next_run_time) == ("heartbeat", "paused", None)


def test_an_id_that_is_taken_is_an_error_and_an_empty_one_finds_a_free_one(admin_client):
    admin_client.post(f"{ADD}heartbeat", PLAIN)
    taken = admin_client.post(f"{ADD}heartbeat", {**PLAIN, "id": "heartbeat"})
    assert "already" in str(taken.context["form"].errors["id"])
    admin_client.post(f"{ADD}heartbeat", PLAIN)
    assert set(Job.objects.values_list("pk", flat=True)) == {"heartbeat", "heartbeat-2"}


@pytest.mark.parametrize("func", ["os:system", "tests.demo_app.jobs:_hidden", "x", ""])
def test_only_listed_functions_can_be_chosen(admin_client, func):
    page = admin_client.post(f"/admin/scheduler/job/add/?func={func}", PLAIN)
    assert "form" not in page.context
    assert "what shall run?" in page.content.decode()
    assert not Job.objects.exists()


def test_the_list_of_functions_holds_declared_and_plain_ones_of_jobs_modules(admin_client):
    page = admin_client.get("/admin/scheduler/job/add/").content.decode()
    for name in ("heartbeat", "nightly_report", "resize_images", "sleep_for"):
        assert f"tests.demo_app.jobs%3A{name}" in page or f"tests.demo_app.jobs:{name}" in page

    assert "random" not in page


def test_the_preview_saves_nothing_and_marks_the_change_of_the_clock(admin_client, monkeypatch):
    import datetime

    from scheduler.admin.jobs import page

    before_spring = datetime.datetime(2026, 3, 27, 12, tzinfo=datetime.UTC)
    monkeypatch.setattr(page, "now", lambda: before_spring)
    page = admin_client.post(f"{ADD}heartbeat", {**CRON, "_preview": "1"})
    runs = page.context["preview"]["runs"]
    assert len(runs) == 10
    assert [f"{run.at:%d %H:%M %z}" for run in runs[:3]] == [
        "28 02:30 +0100",
        "29 03:00 +0200",
        "30 02:30 +0200",
    ]
    assert [bool(run.change) for run in runs[:3]] == [False, True, False]
    assert "The clock goes forward" in page.content.decode()
    assert not Job.objects.exists()
    assert not LogEntry.objects.exists()


STORED = (
    {"type": "interval", "seconds": 93_784},
    {"type": "interval", "seconds": 60, "start_date": "2026-01-01T00:00:00.123456+00:00"},
    {"type": "interval", "seconds": 60, "jitter": 5, "end_date": "2099-01-01T00:00:00+00:00"},
    {"type": "interval", "microseconds": 1_500_000},
    {"type": "cron", "hour": "3", "minute": "30"},
    {"type": "cron", "day_of_week": "mon-fri", "hour": "*/2", "minute": "0"},
    {"type": "cron", "day": "1", "day_of_week": "mon", "days": "either", "gap": "skip"},
    {"type": "cron", "second": "*/10", "fold": "both"},
    {"type": "calendarinterval", "months": 1, "hour": 4, "start_date": "2026-01-31"},
    {"type": "date", "run_date": "2099-01-01T00:00:00.5+00:00"},
    {
        "type": "or",
        "triggers": [{"type": "cron", "hour": "3"}, {"type": "interval", "hours": 5}],
    },
)


@pytest.mark.parametrize("stored", STORED, ids=json.dumps)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_what_the_form_shows_says_what_is_stored(stored, zone):
    if "triggers" not in stored:
        stored = {**stored, "timezone": zone}
    text = triggers.dumps(triggers.loads(json.dumps(stored)))
    shown = initial_of(text)
    assert triggers.dumps(trigger_from(shown, text)) == text


def test_saving_without_a_change_changes_nothing(admin_client, declared):
    for pk in declared:
        url = f"/admin/scheduler/job/{pk}/change/"
        before = Job.objects.filter(pk=pk).values().get()
        page = admin_client.get(url)
        assert admin_client.post(url, fields_of(page)).status_code == 302, pk
        assert Job.objects.filter(pk=pk).values().get() == before
    assert not LogEntry.objects.exists()


def test_only_what_was_changed_is_written_and_told(admin_client, declared):
    url = "/admin/scheduler/job/demo_app.sync_stock/change/"
    sent = {**fields_of(admin_client.get(url)), "max_retries": "7", "arg_limit": "20"}
    before = Job.objects.filter(pk="demo_app.sync_stock").values().get()
    admin_client.post(url, sent)
    after = Job.objects.filter(pk="demo_app.sync_stock").values().get()
    differing = {name for name in after if after[name] != before[name]} - {"updated_at"}
    assert differing == {"max_retries", "kwargs"}
    message = LogEntry.objects.get().change_message
    assert "max retries: 2 → 7" in message
    assert 'keyword arguments: {} → {"limit":20}' in message


def test_a_change_that_crosses_another_is_refused_and_shown(admin_client, declared):
    from scheduler import scheduler
    from scheduler.definitions.changes import changed_by

    url = "/admin/scheduler/job/demo_app.sync_stock/change/"
    sent = {**fields_of(admin_client.get(url)), "max_retries": "7"}
    with changed_by("bob"):
        scheduler.modify_job("demo_app.sync_stock", max_retries=4, name="Renamed")
    page = admin_client.post(url, sent)
    told = str(page.context["form"].non_field_errors())
    assert "bob" in told
    assert "max retries: 4" in told
    assert "name: Renamed" in told
    assert Job.objects.get(pk="demo_app.sync_stock").max_retries == 4
    # Shown and confirmed, it is written.
    again = {**sent, "read": page.context["form"]["read"].value()}
    assert admin_client.post(url, again).status_code == 302
    assert Job.objects.get(pk="demo_app.sync_stock").max_retries == 7


def test_a_run_or_a_pause_in_between_is_no_conflict(admin_client, declared):
    from django.utils import timezone
    from scheduler import scheduler

    url = "/admin/scheduler/job/demo_app.sync_stock/change/"
    sent = {**fields_of(admin_client.get(url)), "max_retries": "7"}
    Job.objects.filter(pk="demo_app.sync_stock").update(next_run_time=timezone.now())
    scheduler.pause_job("demo_app.sync_stock")
    assert admin_client.post(url, sent).status_code == 302
    job = Job.objects.get(pk="demo_app.sync_stock")
    assert (job.max_retries, job.state) == (7, "paused")


def test_a_new_schedule_of_a_paused_job_does_not_wake_it(admin_client, declared):
    from scheduler import scheduler

    scheduler.pause_job("demo_app.sync_stock")
    url = "/admin/scheduler/job/demo_app.sync_stock/change/"
    sent = {**fields_of(admin_client.get(url)), "interval_seconds": "50"}
    assert admin_client.post(url, sent).status_code == 302
    job = Job.objects.get(pk="demo_app.sync_stock")
    assert json.loads(job.trigger)["seconds"] == 50
    assert (job.state, job.next_run_time) == ("paused", None)


def test_a_new_schedule_of_a_finished_job_wakes_it(admin_client, declared):
    pk = "demo_app.sync_stock"
    Job.objects.filter(pk=pk).update(state="finished", next_run_time=None)
    url = f"/admin/scheduler/job/{pk}/change/"
    sent = {**fields_of(admin_client.get(url)), "interval_seconds": "50"}
    assert admin_client.post(url, sent).status_code == 302
    job = Job.objects.get(pk=pk)
    assert job.state == "active"
    assert job.next_run_time is not None


def test_a_retired_job_has_no_form(admin_client, declared):
    pk = "demo_app.sync_stock"
    url = f"/admin/scheduler/job/{pk}/change/"
    sent = {**fields_of(admin_client.get(url)), "max_retries": "7"}
    Job.objects.filter(pk=pk).update(state="retired", next_run_time=None)
    page = admin_client.get(url)
    assert (page.status_code, page.context["form"]) == (200, None)
    assert "is retired: nothing was saved" in admin_client.post(url, sent).content.decode()
    assert Job.objects.get(pk=pk).max_retries == 2


def test_a_job_whose_function_is_gone_gets_another(admin_client, declared):
    Job.objects.filter(pk="demo_app.heartbeat").update(func="tests.demo_app.jobs:gone")
    url = "/admin/scheduler/job/demo_app.heartbeat/change/"
    page = admin_client.get(url)
    assert "cannot be imported" in page.content.decode()
    other = f"{url}?func=tests.demo_app.jobs:sleep_for"
    sent = {**fields_of(admin_client.get(other)), "arg_seconds": "1.5"}
    assert admin_client.post(other, sent).status_code == 302
    job = Job.objects.get(pk="demo_app.heartbeat")
    assert job.func == "tests.demo_app.jobs:sleep_for"
    assert json.loads(job.kwargs) == {"seconds": 1.5}
