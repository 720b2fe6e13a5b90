"""Every word of every page is looked up in a catalogue, or is a name or a value."""

from __future__ import annotations

import re

import pytest
from scheduler.models import Job, Lease

from tests.admin.test_actions import ROW
from tests.browser import test_pages
from tests.languages import pseudo
from tests.languages.conftest import PK

pytestmark = pytest.mark.django_db

JOB = f"/admin/scheduler/job/{ROW.replace('_', '_5F')}"
RUN = f"/admin/scheduler/execution/{PK}"
# What the fixtures call jobs, functions, arguments, hosts and people; types; what is stored as a
# sentence; and a picture of Django's that no language names.
NAMES = re.compile(
    r"(?:tests|tasks|task|demo_app|jobs)[.:]|\b(?:demo_app|nap|code|alpha|admin|gone|default|processes|threads|"
    r"workers|SQLite|PostgreSQL|MariaDB|MySQL|OSError|UTC|Europe/Berlin|America/New_York|"
    r"abc|Demo_App|Search$|cancelled by admin|"
    r"cron|interval|crontab|date|calendarinterval|(?:hour|minute|day_of_week|seconds|minutes)=\S*|"
    r"Heartbeat|Nightly report|Synchronise stock|Charge cards|Morning mail|"
    r"Say that the scheduler is alive|Count the orders of a day and mail the result|"
    r"Fetch stock levels of a warehouse|Collect what is due|Send the day's summary to subscribers|"
    r"Make small copies of new images|Do nothing for a while|Fail, to see how that looks|"
    r"Fail if told to|sync_stock|heartbeat|nightly_report|charge_cards|morning_mail|resize_images|"
    r"sleep_for|fail|sometimes|warehouse|limit|full|key|batch|day|recipients|folder|width|quality|"
    r"seconds|message|fails|str|int|bool|float|dict|tuple)\b"
)
PAGES = {
    **{name: url.format(failed=PK) for name, url in test_pages.PAGES.items()},
    "admin": "/admin/",
    "execution": f"{RUN}/change/",
    "delete execution": f"{RUN}/delete/",
    "task": f"/admin/scheduler/execution/{PK + 4}/change/",
    "running": f"/admin/scheduler/execution/{PK + 1}/change/",
    "stretch": f"/admin/scheduler/execution/{PK + 3}/change/",
    "tasks": "/admin/scheduler/execution/tasks/",
    "trends by day": "/admin/scheduler/execution/trends/?period=month",
    "trends that there are not": "/admin/scheduler/execution/trends/?period=aeon&job=gone",
    "resume all": "/admin/scheduler/job/resume-all/",
    "no job": "/admin/scheduler/job/?q=zzz",
    "no execution": "/admin/scheduler/execution/?q=zzz",
    "details": "/admin/scheduler/execution/?by=admin&node=alpha&error=OSError",
    "dates": "/admin/scheduler/execution/?from=2026-01-01T00:00",
    "another function": f"{JOB}/change/?choose",
}


@pytest.fixture(autouse=True)
def cron_in_words(monkeypatch):
    """These words are cron-descriptor's, which has catalogues of its own."""
    monkeypatch.setattr("scheduler.triggers.cron.describe._crontab", lambda text, locale: "")


def told(page: str) -> list[str]:
    return pseudo.unmarked(page, NAMES)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("paused", [False, True], ids=["", "paused"])
def test_every_text_of_a_page_is_marked(admin_client, name, paused):
    if paused:
        Lease.objects.update(paused_at="2026-01-01T00:00Z", paused_by="admin")
    with pseudo.language():
        page = admin_client.get(PAGES[name], follow=True)
    assert page.status_code == 200
    assert told(page.content.decode()) == []


@pytest.mark.parametrize("name", ["overview", "jobs", "executions", "trends", "tasks", "admin"])
def test_every_text_of_an_empty_console_is_marked(admin_client, name):
    with pseudo.language():
        page = admin_client.get(PAGES[name]).content.decode()
    assert told(page) == []


@pytest.mark.usefixtures("history")
def test_every_state_of_a_job_is_marked(admin_client):
    for job in Job.objects.all():
        with pseudo.language():
            page = admin_client.get(f"/admin/scheduler/job/{job.pk.replace('_', '_5F')}/change/")
        assert told(page.content.decode()) == []


# Every form that is refused and every button that is pressed, where the page says so.
POSTS = [
    (f"{JOB}/{action}/", {"confirmed": "yes"})
    for action in ("pause", "resume", "retry", "reset", "retire", "run")
] + [
    (f"{JOB}/retire/", {}),
    (f"{JOB}/run/", {"arg_limit": "many"}),
    (f"{JOB}/change/", {"schedule": "interval", "interval_minutes": "-1"}),
    (f"{JOB}/change/", {"schedule": "crontab", "crontab_expr": "", "max_instances": "x"}),
    (f"{JOB}/delete/", {"post": "yes"}),
    (f"{RUN}/retry/", {}),
    (f"{RUN}/delete/", {"post": "yes"}),
    (f"/admin/scheduler/execution/{PK + 2}/cancel/", {}),
    (f"/admin/scheduler/execution/{PK + 1}/cancel/", {}),
    ("/admin/scheduler/execution/9/cancel/", {}),
    ("/admin/scheduler/job/gone/pause/", {}),
    ("/admin/scheduler/job/pause-all/", {}),
    ("/admin/scheduler/job/resume-all/", {}),
    *(
        ("/admin/scheduler/job/", {"action": action, "_selected_action": ROW, **confirmed})
        for action in ("run_selected", "delete_selected", "pause_selected", "resume_selected",
                       "retire_selected")
        for confirmed in ({}, {"confirmed": "yes", "post": "yes"})
    ),
    ("/admin/scheduler/execution/", {"action": "retry_selected", "_selected_action": PK}),
    ("/admin/scheduler/job/", {"action": "pause_selected"}),
]  # fmt: skip


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("url", "sent"), POSTS)
def test_every_answer_to_a_click_is_marked(admin_client, url, sent):
    with pseudo.language():
        page = admin_client.post(url, sent, follow=True)
    assert page.status_code == 200
    assert told(page.content.decode()) == []
