"""Tasks in the admin: their page, and the pages of their runs."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.contrib.auth.models import Permission, User
from scheduler.admin.executions import tasks
from scheduler.admin.jobs.functions import functions
from scheduler.models import Execution
from scheduler.testing import run_due, scheduler_clock

from tests.tasks import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db

PAGE = "/admin/scheduler/execution/tasks/"


def test_the_tasks_page_counts_each_task(admin_client, scheduler_clock):
    bodies.add.enqueue(1)
    bodies.fail.enqueue("no order 7")
    run_due()
    oldest = bodies.add.enqueue(2)
    scheduler_clock.tick(minutes=5)
    bodies.add.enqueue(3)

    add, fail = tasks.summaries("default")
    assert (add.path, add.queued, add.running, add.failed) == ("tests.tasks.bodies.add", 2, 0, 0)
    assert add.oldest == oldest.enqueued_at
    assert add.mean is not None
    assert (fail.path, fail.queued, fail.failed) == ("tests.tasks.bodies.fail", 0, 1)
    text = admin_client.get(PAGE).content.decode()
    assert "?job=task%3Atests.tasks.bodies.fail" in text


def test_the_tasks_page_says_that_no_task_has_run(admin_client):
    assert "No task has run yet" in admin_client.get(PAGE).content.decode()


def test_the_way_back_from_the_tasks_page_leads_over_the_scheduler(admin_client):
    crumbs, _ = admin_client.get(PAGE).content.decode().split("</ol>", 1)
    assert '<a href="/admin/scheduler/">' in crumbs.split("sch-crumbs")[1]


def test_it_needs_the_right_to_see_executions(client):
    user = User.objects.create_user("ada", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_execution"))
    assert client.get(PAGE).status_code == 200


def test_a_task_in_the_jobs_of_an_app_is_offered_for_a_job(monkeypatch):
    # Not ``from tests.demo_app import jobs``: a test before may have had it imported anew.
    jobs = import_module("tests.demo_app.jobs")

    def remind() -> None: ...

    remind.__module__, remind.__qualname__ = jobs.__name__, "remind"
    monkeypatch.setattr(jobs, "remind", bodies.task(remind), raising=False)
    assert functions()["tests.demo_app.jobs:remind"].signature == "remind() -> None"


TASKS_OF_AN_APP = """
from tests.tasks.bodies import task

@task
def remind(name: str) -> None: ...

@task
def _own() -> None: ...

def helper() -> None: ...
"""


def test_a_task_in_the_tasks_of_an_app_is_offered_for_a_job(tmp_path, monkeypatch, settings):
    for name, lines in (("crates", TASKS_OF_AN_APP), ("broken", "1 / 0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "tasks.py").write_text(lines)
    monkeypatch.syspath_prepend(tmp_path)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "crates", "broken"]
    offered = {ref: found for ref, found in functions().items() if ref[:6] in ("crates", "broken")}
    assert offered.keys() == {"crates.tasks:remind"}
    assert offered["crates.tasks:remind"].signature == "remind(name: str) -> None"


def test_the_pages_of_a_run_name_no_job(admin_client):
    bodies.fail.enqueue("no order 7")
    [row] = run_due()
    listed = admin_client.get("/admin/scheduler/execution/").content.decode()
    assert "/admin/scheduler/job/task" not in listed
    page = admin_client.get(f"/admin/scheduler/execution/{row.pk}/change/").content.decode()
    assert "the job is gone" not in page
    assert "All executions of this task" in page
    assert Execution.objects.get().is_task
