"""What the pages say: what a button is called, and what is not offered."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.utils import timezone
from scheduler.admin import capped
from scheduler.admin.display.outcomes import badge
from scheduler.admin.executions.page import plain
from scheduler.admin.jobs.bulk import SELECTED
from scheduler.admin.overview import counts
from scheduler.admin.overview.timeline import WIDTH, Tick
from scheduler.definitions import declarations
from scheduler.models import Job, Lease
from scheduler.monitoring.cluster import Cluster

from .test_actions import make_execution

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
    assert Cluster(now, renewed, ()).lease_age == timedelta()


def test_codes_for_a_terminal_are_no_text(admin_client, declared):
    log = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain \x1b[2Kdone [0m"
    execution = make_execution(declared["demo_app.heartbeat"], status="failed", log=log)
    page = admin_client.get(f"/admin/scheduler/execution/{execution.pk}/change/").content.decode()
    assert "red plain done [0m" in page
    assert "\x1b" not in page


def test_a_sum_of_capped_counts_does_not_look_exact(monkeypatch, declared):
    monkeypatch.setattr(capped, "MAX_COUNTED", 3)
    now = timezone.now()
    for minutes in (1, 2, 3, 90, 90, 3000):
        ended = now - timedelta(minutes=minutes)
        make_execution(declared["demo_app.heartbeat"], status="succeeded", finished_at=ended)
    make_execution(declared["demo_app.heartbeat"], status="failed", finished_at=now)
    table = counts.by_outcome("default", now + timedelta(seconds=1))
    assert [str(count) for count in table["succeeded"].values()] == ["3+", "3+", "3+"]
    assert [str(count) for count in table["failed"].values()] == ["1", "1", "1"]
    for _ in range(2):
        make_execution(declared["demo_app.heartbeat"], status="lost", finished_at=now)
    table = counts.by_outcome("default", now + timedelta(seconds=1))
    assert [str(count) for count in table["problems"].values()] == ["3+", "3+", "3+"]


def test_the_index_of_the_admin_leads_to_the_overview_and_says_the_state(admin_client):
    page = admin_client.get("/admin/").content.decode()
    assert '<a href="/admin/scheduler/">Scheduler</a>: no scheduler process is running.' in page
    now = timezone.now()
    Lease.objects.create(holder=uuid4(), renewed_at=now, expires_at=now + timedelta(minutes=5))
    page = admin_client.get("/admin/").content.decode()
    assert '<a href="/admin/scheduler/">Scheduler</a>: running, 0 standbys.' in page


def test_the_index_tells_nothing_to_those_who_may_see_nothing(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    assert "scheduler process" not in client.get("/admin/").content.decode()


@pytest.mark.parametrize(("codename", "told"), [("view_job", True), ("view_execution", False)])
def test_the_overview_says_what_an_account_may_not_see(
    client, django_user_model, declared, codename, told
):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    page = client.get("/admin/scheduler/").content.decode()
    assert ("Your account may not see executions" in page) is told


def test_problems_are_grouped_by_job_and_message(admin_client, declared):
    job, other = declared[ROW], declared["demo_app.heartbeat"]
    for minutes, message in ((9, "full"), (8, "gone"), (7, "full"), (6, "full")):
        ended = timezone.now() - timedelta(minutes=minutes)
        make_execution(
            job, status="failed", exception=message, finished_at=ended, scheduled_run_time=ended
        )
    make_execution(other, status="lost", reason="full", finished_at=timezone.now())
    page = admin_client.get("/admin/scheduler/")
    problems = page.context["overview"].problems
    assert [(p.last.job_id, p.message, p.runs) for p in problems] == [
        (other.pk, "full", 1),
        (ROW, "full", 3),
        (ROW, "gone", 1),
    ]
    assert f"?job={ROW}&amp;status=failed" in page.content.decode()


def test_a_paused_job_says_by_whom_and_since_when(admin_client, declared):
    assert "Paused by" not in admin_client.get(f"{JOB}change/").content.decode()
    admin_client.post(f"{JOB}pause/")
    page = admin_client.get(f"{JOB}change/").content.decode()
    assert "Paused by admin since" in page


def test_the_history_says_what_was_added(admin_client, declared):
    page = admin_client.get(f"{JOB}history/").content.decode().replace("<wbr>", "")
    assert "function: tests.demo_app.jobs:sync_stock; trigger: Every" in page


def test_both_tables_of_the_history_begin_with_the_newest_and_write_times_alike(
    settings, admin_client, declared
):
    settings.APSCHEDULER_DATETIME_FORMAT = "d/m/Y"
    for button in ("pause", "resume"):
        admin_client.post(f"{JOB}{button}/")
    page = admin_client.get(f"{JOB}history/").content.decode()
    changes, clicks = page.split('id="sch-clicks"')
    today = f"{timezone.localtime():%d/%m/%Y}"
    for table, first, second in ((changes, ">resumed<", ">paused<"), (clicks, "Resume.", "Pause.")):
        assert -1 < table.index(first) < table.index(second)
        assert f">{today}</time></td>" in table


def test_many_jobs_are_paused_with_one_message(admin_client, declared):
    ticked = {"action": "pause_selected", "_selected_action": list(declared)}
    said = told(admin_client.post(LIST, ticked))
    assert said == [
        ("success", f"{len(declared)} jobs: Paused. It keeps its history and waits for Resume.")
    ]


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[38;2;1;2;3mcolour\x1b(B\x1b[m", "colour"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07after", "after"),
        ("\x9b1meight bits\x9b0m\x9d0;title\x9c", "eight bits"),
        ("\x1bPq#0\x1b\\picture", "picture"),
        ("\x1b[?25lhidden\x1b[", "hidden"),
        ("\x1b]0;never ended", "0;never ended"),
        ("no [code] here", "no [code] here"),
    ],
)
def test_every_code_for_a_terminal_is_left_out(printed, shown):
    assert plain(printed) == shown


def test_codes_that_never_end_are_looked_at_once():
    """In 64 K characters each of which begins a string without end."""
    began = monotonic()
    plain("\x1b]" * 32_768 + "\x9d" * 65_536)
    assert monotonic() - began < 5


def test_what_was_skipped_is_no_error_in_the_list(admin_client, declared):
    job = declared["demo_app.sync_stock"]
    for status, reason in (("skipped", "is still running"), ("missed", "was too late")):
        make_execution(job, status=status, reason=reason)
    page = admin_client.get("/admin/scheduler/execution/").content.decode()
    assert '<div class="sch-reason" title="is still running">' in page
    assert '<div class="sch-why" title="was too late">' in page


def test_retries_that_follow_at_once_have_no_distance(admin_client, declared):
    address = "/admin/scheduler/job/demo_5Fapp.sync_5Fstock/change/"
    for delay, said in ((0.0, False), (30.0, True)):
        Job.objects.update(max_retries=2, retry_delay=delay)
        assert (" apart" in admin_client.get(address).content.decode()) is said


def test_the_numbers_of_the_timeline_are_grouped_by_thousands(admin_client, declared):
    trigger = '{"seconds":1,"start_date":"2026-01-01T00:00:00Z","type":"interval"}'
    Job.objects.update(trigger=trigger, next_run_time=timezone.now())
    page = admin_client.get("/admin/scheduler/").content.decode()
    highest = len(declared) * 3600
    assert f"at most {highest:,} in an hour" in page
    assert f'text-anchor="end">{highest:,}</text>' in page


@pytest.mark.parametrize("page", ["change", "history", "delete", "run"])
def test_an_address_of_a_job_that_is_gone_leads_to_the_list_and_says_so(admin_client, db, page):
    answer = admin_client.get(f"{LIST}gone/{page}/")
    assert answer.headers["Location"] == LIST
    assert told(answer) == [("error", "There is no job gone any more.")]


@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_an_address_of_an_execution_that_is_gone_leads_to_the_list(admin_client, db, page):
    answer = admin_client.get(f"/admin/scheduler/execution/7/{page}/")
    assert answer.headers["Location"] == "/admin/scheduler/execution/"
    assert told(answer) == [("error", "There is no execution 7 any more.")]


def test_who_may_not_see_the_list_is_led_to_the_index(client, django_user_model):
    user = django_user_model.objects.create_user("ada", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="delete_job"))
    client.force_login(user)
    assert client.get(f"{LIST}gone/delete/").headers["Location"] == "/admin/"


def test_a_function_that_is_not_offered_is_named(admin_client, declared):
    page = admin_client.get(f"{LIST}add/?func=os:system").content.decode()
    assert "“os:system” is none of the functions below." in page
    assert "none of the functions" not in admin_client.get(f"{LIST}add/").content.decode()


def test_who_sees_only_jobs_has_no_empty_column(client, django_user_model, declared):
    user = django_user_model.objects.create_user("ada", is_staff=True)
    for name, columns in (("view_job", 1), ("view_execution", 2)):
        user.user_permissions.add(Permission.objects.get(codename=name))
        client.force_login(django_user_model.objects.get(pk=user.pk))
        page = client.get("/admin/scheduler/").content.decode()
        assert page.count('<div class="sch-stack">') == columns


def test_a_sign_stays_on_the_line_of_its_word():
    assert "\N{EMPTY SET}</span>&nbsp;missed</span>" in badge("missed")


@pytest.mark.parametrize("page", ["change", "delete", "run"])
def test_no_crumb_touches_the_mark_before_it(admin_client, declared, page):
    text = admin_client.get(f"{JOB}{page}/").content.decode()
    crumbs = text.split("sch-crumbs", 1)[1].split("</ol>", 1)[0]
    assert "</li>" in crumbs
    assert "</li><li" not in crumbs
