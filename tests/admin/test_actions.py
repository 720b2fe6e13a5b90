"""Buttons: each does its one thing, signs it, and says so in both logs."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from scheduler.models import Change, Execution, Job

pytestmark = pytest.mark.django_db

JOB = "/admin/scheduler/job/demo_app.sync_stock"
LIST = "/admin/scheduler/job/"
ROW = "demo_app.sync_stock"


def make_execution(job: Job, **columns) -> Execution:
    at = timezone.now() - timedelta(minutes=1)
    return Execution.objects.create(
        **{
            "job_id": job.pk,
            "job_uid": job.uid,
            "func": job.func,
            "args": job.args,
            "kwargs": job.kwargs,
            "sensitive": job.sensitive,
            "scheduled_run_time": at,
            "due_at": at,
            "queued_at": at,
            **columns,
        }
    )


# The action, the state before, the state after.
STATES = (
    ("pause", "active", "paused"),
    ("resume", "paused", "active"),
    ("retire", "active", "retired"),
    ("resume", "retired", "active"),
    ("retry", "quarantined", "active"),
)


@pytest.mark.parametrize(("action", "before", "after"), STATES)
def test_a_button_changes_the_state_and_signs_it(
    admin_client, admin_user, declared, action, before, after
):
    Job.objects.filter(pk=ROW).update(state=before)
    answer = admin_client.post(f"{JOB}/{action}/", {"confirmed": "yes"}, follow=True)
    assert answer.status_code == 200
    assert Job.objects.get(pk=ROW).state == after
    change = Change.objects.filter(job_id=ROW).first()
    assert (change.by, json.loads(change.after)["state"]) == (admin_user.get_username(), after)
    assert f"state: {before} → {after}" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(("action", "before", "after"), STATES)
def test_an_action_on_ticked_jobs_does_the_same(admin_client, declared, action, before, after):
    ids = [ROW, "demo_app.heartbeat"]
    Job.objects.filter(pk__in=ids).update(state=before)
    ticked = {"action": f"{action}_selected", "_selected_action": ids, "confirmed": "yes"}
    admin_client.post(LIST, ticked)
    assert set(Job.objects.filter(pk__in=ids).values_list("state", flat=True)) == {after}
    assert LogEntry.objects.count() == 2


def test_reset_gives_back_what_the_code_declares(admin_client, declared):
    from scheduler import scheduler

    scheduler.modify_job(ROW, max_retries=9)
    admin_client.post(f"{JOB}/reset/")
    assert Job.objects.get(pk=ROW).max_retries == 2
    assert "max retries: 9 → 2" in LogEntry.objects.get().change_message


def test_run_now_asks_first_and_then_leads_to_the_run(admin_client, admin_user, declared):
    assert "warehouse" in admin_client.get(f"{JOB}/run/").content.decode()
    assert not Execution.objects.exists()
    answer = admin_client.post(f"{JOB}/run/", {"arg_limit": "3"})
    execution = Execution.objects.get()
    assert answer.url == f"/admin/scheduler/execution/{execution.pk}/change/"
    assert (execution.kind, execution.status) == ("manual", "queued")
    assert execution.requested_by == admin_user.get_username()
    assert json.loads(execution.kwargs) == {"limit": 3}
    assert Job.objects.get(pk=ROW).kwargs == "{}"


def test_run_now_with_nothing_entered_takes_the_jobs_own_arguments(admin_client, declared):
    job = declared["demo_app.charge_cards"]
    admin_client.post(f"{LIST}{job.pk}/run/", {"arg_key": "", "arg_batch": ""})
    assert Execution.objects.get().kwargs == job.kwargs


def test_run_now_refuses_arguments_that_do_not_fit(admin_client, declared):
    page = admin_client.post(f"{JOB}/run/", {"arg_limit": "many"})
    assert "whole number" in str(page.context["form"].errors["arg_limit"])
    assert not Execution.objects.exists()


def test_ticked_jobs_run_after_a_confirmation(admin_client, declared):
    ticked = {"action": "run_selected", "_selected_action": [ROW, "demo_app.heartbeat"]}
    page = admin_client.post(LIST, ticked)
    assert "Run these jobs now?" in page.content.decode()
    assert not Execution.objects.exists()
    admin_client.post(LIST, {**ticked, "confirmed": "yes"})
    assert Execution.objects.filter(kind="manual").count() == 2


def test_removing_a_job_keeps_its_history(admin_client, admin_user, declared):
    make_execution(declared[ROW], status="succeeded", finished_at=timezone.now())
    admin_client.post(f"{JOB}/delete/", {"post": "yes"})
    assert not Job.objects.filter(pk=ROW).exists()
    assert Execution.objects.get().status == "succeeded"
    assert Change.objects.first().action == "removed"
    assert Change.objects.first().by == admin_user.get_username()
    entry = LogEntry.objects.get()
    assert entry.is_deletion()
    assert "Every 20 seconds" in entry.change_message


def test_ticked_jobs_are_removed_after_a_confirmation(admin_client, declared):
    ticked = {"action": "delete_selected", "_selected_action": [ROW, "demo_app.heartbeat"]}
    admin_client.post(LIST, ticked)
    assert Job.objects.count() == len(declared)
    admin_client.post(LIST, {**ticked, "post": "yes"})
    assert Job.objects.count() == len(declared) - 2


def test_a_queued_execution_is_cancelled_at_once_a_running_one_is_asked(admin_client, declared):
    queued = make_execution(declared[ROW], status="queued")
    running = make_execution(declared["demo_app.heartbeat"], status="running")
    for execution in (queued, running):
        admin_client.post(f"/admin/scheduler/execution/{execution.pk}/cancel/")
        execution.refresh_from_db()
    assert queued.status == "cancelled"
    assert running.status == "running"
    assert running.cancel_requested_at is not None


def test_an_ended_execution_is_tried_again_once(admin_client, declared):
    failed = make_execution(declared[ROW], status="failed", finished_at=timezone.now())
    url = f"/admin/scheduler/execution/{failed.pk}/retry/"
    admin_client.post(url)
    again = Execution.objects.exclude(pk=failed.pk).get()
    assert (again.attempt, again.kind, again.status) == (2, "retry", "queued")
    answer = admin_client.post(url, follow=True)
    assert "retried already" in str(list(answer.context["messages"])[-1])
    assert Execution.objects.count() == 2


def test_what_is_gone_is_told_and_not_an_error(admin_client, declared):
    for url in (
        f"{LIST}nothing/pause/",
        f"{LIST}nothing/run/",
        "/admin/scheduler/execution/9/retry/",
    ):
        answer = admin_client.post(url, follow=True)
        assert answer.status_code == 200
        assert "any more" in str(next(iter(answer.context["messages"])))


@pytest.mark.parametrize(
    "asked", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_no_other_host(admin_client, declared, asked):
    answer = admin_client.post(f"{JOB}/pause/", {"next": asked})
    assert answer.url.startswith("/admin/scheduler/job/demo")
