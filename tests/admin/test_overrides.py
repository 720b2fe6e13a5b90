"""A declared job beside its declaration, and a job that begins as another."""

from __future__ import annotations

import json

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.utils import timezone
from scheduler import scheduler
from scheduler.admin.jobs.overrides import overrides
from scheduler.models import Job

from .posting import fields_of
from .test_actions import JOB, ROW

pytestmark = pytest.mark.django_db

PAGE = f"{JOB.replace('_', '_5F')}/change/"
RESET = f"{JOB.replace('_', '_5F')}/reset/"
ADD = "/admin/scheduler/job/add/"


def job() -> Job:
    return Job.objects.get(pk=ROW)


def test_a_job_as_declared_has_no_overrides(admin_client, declared):
    assert overrides(job()) == []
    assert "Changed beside the declaration" not in admin_client.get(PAGE).content.decode()


def test_each_field_that_differs_stands_beside_what_the_code_declares(admin_client, declared):
    scheduler.modify_job(ROW, max_retries=9, kwargs={"limit": 5}, trigger=IntervalTrigger(hours=2))
    found = {each.name: (each.declared, each.now) for each in overrides(job())}
    assert found.pop("trigger")[1].startswith("Every 2 hours")
    assert found == {"max_retries": ("2", "9"), "kwargs": ("{}", '{"limit":5}')}
    page = admin_client.get(PAGE).content.decode()
    assert "Changed beside the declaration" in page
    assert page.count('name="column"') == 3


def test_one_field_is_reset_and_the_others_stay(admin_client, admin_user, declared):
    scheduler.modify_job(ROW, max_retries=9, kwargs={"limit": 5})
    scheduler.pause_job(ROW)
    admin_client.post(RESET, {"column": "max_retries"})
    assert (job().max_retries, job().state, job().kwargs) == (2, "paused", '{"limit":5}')
    assert [each.name for each in overrides(job())] == ["kwargs"]


def test_a_schedule_that_is_reset_plans_the_next_run_by_the_declaration(admin_client, declared):
    before = job().trigger
    scheduler.modify_job(ROW, max_retries=9)
    scheduler.reschedule_job(ROW, trigger=IntervalTrigger(days=90))
    admin_client.post(RESET, {"column": "trigger"})
    row = job()
    assert json.loads(row.trigger)["type"] == json.loads(before)["type"] == "interval"
    assert (row.next_run_time - timezone.now()).days == 0
    assert (row.planned_trigger, row.max_retries) == (row.trigger, 9)


def test_a_job_in_quarantine_is_released_by_the_reset_of_what_broke_it(admin_client, declared):
    Job.objects.filter(pk=ROW).update(func="shop.gone:sync", state="quarantined")
    admin_client.post(RESET, {"column": "func"})
    assert job().state == "active"
    assert overrides(job()) == []


def test_a_job_in_quarantine_says_why_since_when_and_what_to_do(admin_client, declared):
    from scheduler.definitions import changes

    with changes.changed_by("alpha:7"):
        changes.quarantine(job(), "no module named 'shop.gone'", "default")
    page = admin_client.get(PAGE).content.decode()
    assert "In quarantine: the definition cannot be loaded, so it does not run." in page
    assert "no module named" in page
    assert "Quarantined by alpha:7 since" in page
    assert "Mend the code or choose another function, then press Try again." in page


@pytest.mark.parametrize("column", ["state", "uid", "nonsense"])
def test_only_what_code_declares_can_be_reset(admin_client, declared, column):
    page = admin_client.post(RESET, {"column": column}, follow=True).content.decode()
    assert f"No declaration has a {column}" in page


def test_an_executor_is_not_reset_under_a_timeout_that_it_cannot_keep(admin_client, declared):
    scheduler.modify_job(ROW, executor="processes", timeout=5)
    page = admin_client.post(RESET, {"column": "executor"}, follow=True).content.decode()
    assert "a thread cannot be ended" in page
    assert job().executor == "processes"


def test_secrets_stand_on_neither_side(admin_client, declared):
    name = "demo_app.charge_cards"
    scheduler.modify_job(name, kwargs={"key": "sk_other"})
    (override,) = overrides(Job.objects.get(pk=name))
    assert override.name == "kwargs"
    assert "sk_" not in override.declared + override.now


def test_nobody_resets_without_the_permission(client, django_user_model, declared):
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    scheduler.modify_job(ROW, max_retries=9)
    client.force_login(user)
    page = client.get(PAGE).content.decode()
    assert "Changed beside the declaration" in page
    assert 'name="column"' not in page
    assert "?from=" not in page
    assert client.post(RESET, {"column": "max_retries"}).status_code == 403


def test_retiring_asks_first_and_speaks_of_code_only_where_code_declares_the_job(
    admin_client, declared
):
    told = "the next leader brings it back"
    answer = admin_client.post(f"{JOB}/retire/")
    assert told in answer.content.decode()
    assert job().state == "active"
    Job.objects.filter(pk=ROW).update(declared=False)
    assert told not in admin_client.post(f"{JOB}/retire/").content.decode()
    page = admin_client.post(f"{JOB}/retire/", {"confirmed": "yes"}, follow=True).content.decode()
    assert "Retired: it runs no more." in page
    assert told not in page


def test_a_job_that_was_added_paused_says_by_whom(admin_client, declared):
    sent = fields_of(admin_client.get(f"{ADD}?func=tests.demo_app.jobs:heartbeat"))
    sent |= {"id": "napping", "paused": "on", "interval_days": "1"}
    admin_client.post(f"{ADD}?func=tests.demo_app.jobs:heartbeat", sent)
    page = admin_client.get("/admin/scheduler/job/napping/change/").content.decode()
    assert "Paused by admin since" in page


def test_a_clone_begins_as_the_other_job(admin_client, declared):
    scheduler.modify_job(ROW, max_retries=4, kwargs={"limit": 5}, executor="processes", timeout=60)
    assert f"?from={ROW}" in admin_client.get(PAGE).content.decode()
    address = f"{ADD}?from={ROW}"
    page = admin_client.get(address)
    assert page.context["title"] == "Add a job: as Synchronise stock"
    admin_client.post(address, fields_of(page))
    clone, source = Job.objects.get(pk=f"{ROW}-2"), job()
    for name in ("func", "kwargs", "executor", "timeout", "max_retries", "trigger"):
        assert getattr(clone, name) == getattr(source, name), name
    assert not clone.declared


def test_a_clone_keeps_the_secrets_that_its_form_does_not_show(admin_client, declared):
    name = "demo_app.charge_cards"
    page = admin_client.get(f"{ADD}?from={name}")
    assert "sk_live" not in page.content.decode()
    admin_client.post(f"{ADD}?from={name}", fields_of(page))
    clone = Job.objects.get(pk=f"{name}-2")
    assert (clone.kwargs, clone.sensitive) == (
        Job.objects.get(pk=name).kwargs,
        '["key"]',
    )


@pytest.mark.parametrize("id", ["gone", "go%00ne"])
def test_a_clone_of_a_job_that_is_gone_says_so_and_offers_the_functions(admin_client, declared, id):
    page = admin_client.get(f"{ADD}?from={id}").content.decode()
    assert "There is no job gone any more." in page
    assert "heartbeat" in page
