"""What a list of executions is asked for, and what its fields say that it was asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from scheduler.admin.executions import query
from scheduler.admin.executions.query import ExecutionQuery
from scheduler.admin.overview.timeline import ended_between
from scheduler.models import Job

from .test_actions import ROW, make_execution

pytestmark = pytest.mark.django_db

LIST = "/admin/scheduler/execution/"


def listed(admin_client, **asked) -> list[int]:
    return [row.pk for row in admin_client.get(LIST, asked).context["cl"].result_list]


def test_a_search_within_one_job_finds_its_executions_or_none(admin_client, declared):
    own = make_execution(declared[ROW], status="failed", finished_at=timezone.now())
    make_execution(declared["demo_app.heartbeat"])
    for more in ({}, {"status": "problems"}, {"when": "day"}):
        assert listed(admin_client, job=ROW, q="sync", **more) == [own.pk]
        assert listed(admin_client, job=ROW, q="heartbeat", **more) == []
        assert listed(admin_client, job=ROW, q="zzz", **more) == []


def test_a_job_is_found_among_many_of_a_similar_name(monkeypatch, admin_client, declared):
    monkeypatch.setattr(query, "MAX_JOBS", 20)
    row = declared[ROW]
    for number in range(query.MAX_JOBS + 1):
        columns = {"func": row.func, "trigger": row.trigger, "planned_trigger": row.trigger}
        job = Job.objects.create(id=f"task{number:02}", **columns)
    execution = make_execution(job)
    assert listed(admin_client, job=job.pk, q="task") == [execution.pk]


def test_an_hour_of_the_timeline_is_shown_and_sent_back_as_the_same_hour(settings, admin_client):
    settings.TIME_ZONE = "Europe/Berlin"
    since, until = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 13, tzinfo=UTC)
    page = admin_client.get(f"{LIST}?{ended_between(since, until)}")
    assert "2026-07-01 14:00:00 to 2026-07-01 15:00:00" in page.content.decode()
    (dates,) = [spec for spec in page.context["cl"].filter_specs if spec.title == "dates"]
    sent = {"from": dates.field_since, "to": dates.field_until}
    assert sent == {"from": "2026-07-01T14:00", "to": "2026-07-01T15:00"}
    asked = admin_client.get(LIST, sent).context["cl"].asked
    assert (asked.since, asked.until) == (since, until)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak"])
@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+14:00", "0001-01-01", "9999-12-31T23:59:00-12:00", "9999-12-31", "soon"],
)
def test_a_time_beyond_the_calendar_is_passed_over(
    settings, admin_client, declared, zone, name, text
):
    settings.TIME_ZONE = zone
    execution = make_execution(declared[ROW])
    assert listed(admin_client, **{name: text}) == [execution.pk]


def test_a_character_that_no_database_takes_is_passed_over(declared):
    names = ("q", "job", "status", "kind", "from", "to", "before", "after")
    now = timezone.now()
    asked = ExecutionQuery.read(dict.fromkeys(names, "\0"), "default", now)
    assert asked == ExecutionQuery.read({}, "default", now)


def test_a_search_that_matches_many_jobs_finds_the_runs_of_all(admin_client, declared):
    row = declared[ROW]
    columns = {"func": row.func, "trigger": row.trigger, "planned_trigger": row.trigger}
    runs = []
    for number in range(query.MAX_STREAMS + 5):
        job = Job.objects.create(id=f"shout{number:02}", **columns)
        runs.append(make_execution(job).pk)
    assert listed(admin_client, q="shout") == runs[::-1]
    assert listed(admin_client, q="SHOUT2") == runs[:19:-1]


def test_a_search_says_which_jobs_it_left_out(monkeypatch, admin_client, declared):
    monkeypatch.setattr(query, "MAX_JOBS", 2)
    page = admin_client.get(LIST, {"q": "demo_app"}).content.decode()
    assert "More than 2 jobs match" in page
    assert "More than" not in admin_client.get(LIST, {"q": "heartbeat"}).content.decode()


@pytest.mark.parametrize("text", ["reminder", "REMINDER", "reminder-1", "Anna"])
def test_the_history_of_a_removed_job_is_found_by_a_part_of_its_name(admin_client, declared, text):
    row = declared[ROW]
    job = Job(id="reminder-1", name="Mail to Anna", func=row.func, trigger=row.trigger)
    execution = make_execution(job, job_name=job.name)
    make_execution(row)
    assert listed(admin_client, q=text) == [execution.pk]


def test_an_empty_list_says_so_and_offers_the_way_out(admin_client, declared):
    make_execution(declared[ROW])
    page = admin_client.get(LIST, {"q": "zzz"}).content.decode()
    assert "No execution matches." in page
    assert '<a href="?">Show all executions</a>' in page
    assert "Show all executions" not in admin_client.get(LIST).content.decode()
