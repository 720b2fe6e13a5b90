"""A second admin site, beside the default one or in its place: links stay on the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import clear_url_caches, path
from scheduler.admin import ExecutionAdmin, JobAdmin
from scheduler.models import Execution, Job

from .test_actions import make_execution

pytestmark = pytest.mark.django_db

ROW = "demo_app.sync_stock"
JOB = "/ops/scheduler/job/demo_5Fapp.sync_5Fstock/"

MODEL_ADMINS = {Job: JobAdmin, Execution: ExecutionAdmin}
ops = admin.AdminSite(name="ops")
for model, model_admin in MODEL_ADMINS.items():
    ops.register(model, model_admin)
urlpatterns = [path("admin/", admin.site.urls), path("ops/", ops.urls)]


@pytest.fixture(params=["beside the default site", "the only one with jobs"])
def site(request, settings) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    if request.param == "the only one with jobs":
        admin.site.unregister([Job, Execution])
    clear_url_caches()
    yield
    if not admin.site.is_registered(Job):
        admin.site.register(Job, JobAdmin)
        admin.site.register(Execution, ExecutionAdmin)
    clear_url_caches()


PAGES = ("/ops/", "/ops/scheduler/", "/ops/scheduler/job/", "/ops/scheduler/execution/",
         "/ops/scheduler/execution/tasks/", "/ops/scheduler/execution/trends/",
         "/ops/scheduler/job/pause-all/", f"{JOB}change/",
         f"{JOB}history/", f"{JOB}run/", f"{JOB}delete/")  # fmt: skip


def assert_all_on_ops(answer):
    assert answer.status_code == 200
    links = re.findall(r'(?:href|action|formaction)="(/[^"]*)"', answer.content.decode())
    assert any(link.startswith("/ops/scheduler/") for link in links)
    assert [link for link in links if link.startswith("/admin/")] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_stays_on_its_site(site, admin_client, declared, page):
    make_execution(declared[ROW], status="failed", exception="Oh")
    answer = admin_client.get(page)
    assert_all_on_ops(answer)


@pytest.mark.parametrize("action", ["retire", "run"])
def test_a_question_before_an_action_stays_on_its_site(site, admin_client, declared, action):
    answer = admin_client.post(f"{JOB}{action}/", {"arg_limit": "x"})
    assert_all_on_ops(answer)


@pytest.mark.parametrize("action", ["run", "pause", "delete"])
def test_what_was_done_leads_on_within_the_site(site, admin_client, declared, action):
    answer = admin_client.post(f"{JOB}{action}/", {"post": "yes"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/ops/scheduler/")


def test_a_page_of_what_is_gone_leads_back_within_the_site(site, admin_client):
    for page in ("job/gone/change/", "job/gone/run/", "execution/7/change/"):
        answer = admin_client.get(f"/ops/scheduler/{page}")
        assert answer["Location"] in ("/ops/scheduler/job/", "/ops/scheduler/execution/")


def test_a_site_without_the_scheduler_has_its_own_index(settings, admin_client, declared):
    staff = admin.AdminSite(name="staff")
    staff.register(Group)
    routes = ModuleType("tests.admin.staff_routes")
    routes.urlpatterns = [path("admin/", admin.site.urls), path("staff/", staff.urls)]
    settings.ROOT_URLCONF = routes
    answer = admin_client.get("/staff/")
    assert answer.status_code == 200
    assert "/staff/auth/group/" in answer.content.decode()
    assert "sch-note" not in answer.content.decode()


@pytest.mark.parametrize(("there", "missing"), [(Job, Execution), (Execution, Job)])
def test_a_site_with_one_of_both_models_is_refused(there, missing):
    alone = admin.AdminSite(name="alone")
    alone.register(there, MODEL_ADMINS[there])
    (error,) = alone.check(None)
    assert error.id == "scheduler.E021"
    assert f"'alone' has {there.__name__} without {missing.__name__}" in error.msg
    alone.register(missing, MODEL_ADMINS[missing])
    assert alone.check(None) == []
