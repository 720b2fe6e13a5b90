"""A second admin site, beside the default one or in its place: links stay on the site."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import clear_url_caches, path
from scheduler.admin import ExecutionAdmin, JobAdmin
from scheduler.models import Execution, Job

from .test_actions import make_execution

pytestmark = pytest.mark.django_db

ROW = "demo_app.sync_stock"
JOB = "/ops/scheduler/job/demo_5Fapp.sync_5Fstock/"

ops = admin.AdminSite(name="ops")
ops.register(Job, JobAdmin)
ops.register(Execution, ExecutionAdmin)
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


PAGES = ("/ops/scheduler/", "/ops/scheduler/job/", "/ops/scheduler/execution/", f"{JOB}change/",
         f"{JOB}history/", f"{JOB}run/", f"{JOB}delete/")  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_stays_on_its_site(site, admin_client, declared, page):
    make_execution(declared[ROW], status="failed", exception="Oh")
    answer = admin_client.get(page)
    assert answer.status_code == 200
    links = re.findall(r'(?:href|action|formaction)="(/[^"]*)"', answer.content.decode())
    assert any(link.startswith("/ops/scheduler/") for link in links)
    assert [link for link in links if link.startswith("/admin/")] == []


@pytest.mark.parametrize("action", ["run", "pause", "delete"])
def test_what_was_done_leads_on_within_the_site(site, admin_client, declared, action):
    answer = admin_client.post(f"{JOB}{action}/", {"post": "yes"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/ops/scheduler/")


def test_a_page_of_what_is_gone_leads_back_within_the_site(site, admin_client):
    for page in ("job/gone/change/", "job/gone/run/", "execution/7/change/"):
        answer = admin_client.get(f"/ops/scheduler/{page}")
        assert answer["Location"] in ("/ops/scheduler/job/", "/ops/scheduler/execution/")
