"""The scheduler's admin pages: they answer, and their cost does not depend on how much there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from scheduler.models import Execution, Job
from scheduler.models.execution import FINAL, Status

pytestmark = pytest.mark.django_db

TRIGGER = '{"kind":"interval","seconds":60}'
LIST = "/admin/scheduler/execution/"
PAGES = (
    "/admin/scheduler/",
    "/admin/scheduler/job/",
    LIST,
)


def make_job(number: int, **columns) -> Job:
    columns.setdefault("next_run_time", timezone.now() + timedelta(minutes=5))
    return Job.objects.create(
        id=f"app.job{number}",
        func="home.jobs:beat",
        trigger=TRIGGER,
        planned_trigger=TRIGGER,
        **columns,
    )


def make_execution(job: Job, status: str, ago: timedelta = timedelta(minutes=10)) -> Execution:
    at = timezone.now() - ago
    ran = status not in (Status.MISSED, Status.SKIPPED, Status.QUEUED)
    return Execution.objects.create(
        job_id=job.pk,
        job_uid=job.uid,
        func=job.func,
        scheduled_run_time=at,
        due_at=at,
        queued_at=at,
        status=status,
        started_at=at if ran else None,
        finished_at=at + timedelta(seconds=2) if status in FINAL else None,
    )


@pytest.mark.parametrize("url", PAGES)
def test_a_page_answers_on_empty_tables(admin_client, url):
    assert admin_client.get(url).status_code == 200


@pytest.mark.parametrize("status", Status.values)
def test_the_list_filters_by_each_outcome(admin_client, status):
    job = make_job(1)
    made = {s: make_execution(job, s, timedelta(minutes=n)) for n, s in enumerate(Status.values)}
    page = admin_client.get("/admin/scheduler/execution/", {"status": status})
    assert [row.pk for row in page.context["cl"].result_list] == [made[status].pk]


@pytest.mark.parametrize(
    "filters", [{}, {"status": "succeeded"}, {"when": "day"}, {"job": "app.job1"}]
)
def test_pages_of_the_list_join_without_gap_or_repetition(admin_client, filters, monkeypatch):
    from scheduler.admin.executions import ExecutionAdmin

    monkeypatch.setattr(ExecutionAdmin, "list_per_page", 3)
    job = make_job(1)
    # Two each share the moment of their end: the place between two pages must tell them apart.
    made = [
        make_execution(
            job,
            "succeeded",
            timedelta(minutes=n // 2),
        )
        for n in range(2, 10)
    ]
    moment = timezone.now() - timedelta(minutes=30)
    Execution.objects.filter(pk__in=[row.pk for row in made[:4]]).update(finished_at=moment)
    forward, url = (
        [],
        "?" + "&".join(f"{k}={v}" for k, v in filters.items()),
    )
    last = None
    while url:
        change_list = admin_client.get(LIST + url).context["cl"]
        forward.append([row.pk for row in change_list.result_list])
        last, url = change_list, change_list.older_url
    backward = [forward[-1]]
    while last.newer_url:
        last = admin_client.get(LIST + last.newer_url).context["cl"]
        backward.insert(0, [row.pk for row in last.result_list])
    seen = [pk for page in forward for pk in page]
    assert sorted(seen) == sorted(row.pk for row in made)
    assert sorted(pk for page in backward for pk in page) == sorted(seen)


@pytest.mark.parametrize("url", PAGES)
def test_the_number_of_statements_does_not_grow(admin_client, url):
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin_client.get(url).status_code == 200
        return len(captured)

    job = make_job(0)
    for status in FINAL:
        make_execution(job, status)
    few = statements()
    for number in range(1, 30):
        job = make_job(number)
        for n, status in enumerate(FINAL):
            make_execution(job, status, timedelta(minutes=n))
    assert statements() == few
