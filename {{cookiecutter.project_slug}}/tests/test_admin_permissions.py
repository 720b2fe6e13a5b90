"""Who may do what in the scheduler's admin: every route and method, for every permission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from scheduler.admin import ExecutionAdmin, JobAdmin
from scheduler.models import Change, Execution, Job

pytestmark = pytest.mark.django_db

TRIGGER = '{"seconds":3600,"timezone":"UTC","type":"interval"}'
JOB_SEEN = {"view_job", "change_job"}

# Route: for each method the permissions of which one is enough. A method that is missing answers
# 403 or 405 to everybody.
ROUTES: dict[str, dict[str, set[str]]] = {
    "scheduler_job_changelist": {"GET": JOB_SEEN},
    "scheduler_job_add": {"GET": {"add_job"}, "POST": {"add_job"}},
    "scheduler_job_change": {"GET": JOB_SEEN, "POST": {"change_job"}},
    "scheduler_job_history": {"GET": JOB_SEEN},
    "scheduler_job_delete": {"GET": {"delete_job"}, "POST": {"delete_job"}},
    "scheduler_job_run": {"GET": {"run_job"}, "POST": {"run_job"}},
    "scheduler_job_pause": {"POST": {"pause_job"}},
    "scheduler_job_resume": {"POST": {"pause_job"}},
    "scheduler_job_pause_all": {"GET": {"pause_job"}, "POST": {"pause_job"}},
    "scheduler_job_resume_all": {"GET": {"pause_job"}, "POST": {"pause_job"}},
    "scheduler_job_retry": {"POST": {"pause_job"}},
    "scheduler_job_reset": {"POST": {"change_job"}},
    "scheduler_job_retire": {"POST": {"change_job"}},
    "scheduler_execution_changelist": {"GET": {"view_execution"}},
    "scheduler_execution_change": {"GET": {"view_execution"}},
    "scheduler_execution_tasks": {"GET": {"view_execution"}},
    "scheduler_execution_trends": {"GET": {"view_execution"}},
    "scheduler_execution_history": {"GET": {"view_execution"}},
    "scheduler_execution_delete": {"GET": {"delete_execution"}, "POST": {"delete_execution"}},
    "scheduler_execution_retry": {"POST": {"run_job"}},
    "scheduler_execution_cancel": {"POST": {"cancel_execution"}},
    "scheduler_execution_add": {},
}
PERMISSIONS = sorted(
    {
        *(
            permission
            for methods in ROUTES.values()
            for each in methods.values()
            for permission in each
        ),
        "change_execution",
    }
)
METHODS = ("GET", "POST", "PUT", "DELETE")


@pytest.fixture
def job() -> Job:
    return Job.objects.create(
        id="app.job/with a slash",
        func="tests.jobs:greet",
        trigger=TRIGGER,
        planned_trigger=TRIGGER,
        next_run_time=timezone.now() + timedelta(hours=1),
    )


@pytest.fixture
def execution(job) -> Execution:
    at = timezone.now()
    return Execution.objects.create(
        job_id=job.pk,
        job_uid=job.uid,
        func=job.func,
        status="succeeded",
        due_at=at,
        queued_at=at,
        started_at=at,
        finished_at=at,
    )


@pytest.fixture
def login(client, django_user_model):
    def login(*codenames: str):
        user = django_user_model.objects.create_user("somebody", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="scheduler", codename__in=codenames)
        )
        client.force_login(user)
        return client

    return login


def url_of(route: str, job: Job, execution: Execution) -> str:
    if route.endswith(("changelist", "add", "tasks", "trends", "_all")):
        return reverse(f"admin:{route}")
    row = job if "_job_" in route else execution
    return reverse(f"admin:{route}", args=[quote(row.pk)])


def state() -> list:
    return [list(model.objects.order_by("pk").values()) for model in (Job, Execution, Change)]


def test_the_table_has_every_route():
    named = {
        pattern.name
        for model, made in ((Job, JobAdmin), (Execution, ExecutionAdmin))
        for pattern in made(model, admin.site).get_urls()
        if pattern.name
    }
    assert named == set(ROUTES)


@pytest.mark.parametrize("permission", [None, *PERMISSIONS])
def test_a_permission_opens_its_routes_and_no_other(login, job, execution, permission):
    client = login(*filter(None, [permission]))
    for route, methods in ROUTES.items():
        url = url_of(route, job, execution)
        for method in METHODS:
            if method == "POST" and permission in methods.get("POST", set()):
                continue  # what it does is another test's matter
            before = state()
            status = client.generic(method, url).status_code
            if permission in methods.get("GET", set()):
                # Django's own lists answer any method as they answer GET.
                assert status in ((200,) if method == "GET" else (200, 403, 405)), (method, route)
            elif permission in methods.get("POST", set()):
                assert status in (302, 403, 405), (method, route)  # or back to where the button is
            else:
                assert status in (403, 405), (method, route, status)
            assert state() == before, (method, route)


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_gets_in_without_logging_in(client, job, execution, route):
    before = state()
    for method in METHODS:
        answer = client.generic(method, url_of(route, job, execution))
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("admin:login"))
    assert state() == before


@pytest.mark.parametrize("route", [r for r, methods in ROUTES.items() if "GET" in methods])
def test_reading_changes_nothing(admin_client, job, execution, route):
    before = state()
    assert admin_client.get(url_of(route, job, execution)).status_code == 200
    assert state() == before


@pytest.mark.parametrize("action", [a.__name__ for a in (*JobAdmin.actions,)])
def test_a_viewer_can_send_no_action_from_the_list(login, job, execution, action):
    client = login("view_job")
    before = state()
    client.post(
        reverse("admin:scheduler_job_changelist"),
        {"action": action, "_selected_action": [job.pk], "confirmed": "yes", "post": "yes"},
    )
    assert state() == before


@pytest.mark.parametrize("action", [a.__name__ for a in (*ExecutionAdmin.actions,)])
def test_a_viewer_can_send_no_action_from_the_history(login, job, execution, action):
    client = login("view_execution")
    before = state()
    client.post(
        reverse("admin:scheduler_execution_changelist"),
        {"action": action, "_selected_action": [execution.pk]},
    )
    assert state() == before


def test_a_viewer_sees_no_button(login, job, execution):
    client = login("view_job", "view_execution")
    for route in ("job_changelist", "job_change", "execution_changelist", "execution_change"):
        page = client.get(url_of(f"scheduler_{route}", job, execution)).content.decode()
        for forbidden, methods in ROUTES.items():
            if methods.get("POST") and not forbidden.endswith(("change", "add")):
                assert url_of(forbidden, job, execution) not in page, (route, forbidden)
        assert '<option value="pause_selected"' not in page


BUTTONS = {"run_job": "run", "pause_job": "pause", "change_job": "retire", "delete_job": "delete"}


@pytest.mark.parametrize("permission", BUTTONS)
def test_each_permission_shows_its_own_button(login, job, execution, permission):
    client = login("view_job", permission)
    page = client.get(url_of("scheduler_job_change", job, execution)).content.decode()
    for name in BUTTONS.values():
        shown = url_of(f"scheduler_job_{name}", job, execution) in page
        assert shown == (BUTTONS[permission] == name), name


def test_the_overview_shows_each_user_only_what_they_may_see(login, job, execution):
    page = login("view_execution").get("/admin/scheduler/").content.decode()
    assert "Running now" in page
    assert "Next runs" not in page
