"""The scheduler's admin pages: they answer, and their cost does not depend on how much there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode

from scheduler.admin import ExecutionAdmin
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


WAYS = (
    ("succeeded", {}),
    ("succeeded", {"status": "succeeded"}),
    ("succeeded", {"when": "day"}),
    ("succeeded", {"job": "app.job1"}),
    ("succeeded", {"q": "job1"}),
    ("failed", {"status": "problems", "when": "week"}),
    ("queued", {"status": "open"}),
)


@pytest.mark.parametrize(("status", "filters"), WAYS)
def test_pages_join_without_gap_or_repetition(admin_client, status, filters, monkeypatch):
    monkeypatch.setattr(ExecutionAdmin, "list_per_page", 3)
    job = make_job(1)
    made = [make_execution(job, status, timedelta(minutes=n)) for n in range(2, 10)]
    # Some share their times, across the place where two pages meet.
    same = Execution.objects.filter(pk__in=[row.pk for row in made[:4]])
    moment = timezone.now() - timedelta(minutes=30)
    same.update(due_at=moment, finished_at=None if status == "queued" else moment)
    url = f"?{urlencode(filters)}"
    pages, lists = [], []
    while url:
        lists.append(admin_client.get(LIST + url).context["cl"])
        pages.append([row.pk for row in lists[-1].result_list])
        url = lists[-1].older_url
    assert [len(page) for page in pages] == [3, 3, 2]
    assert sorted(pk for page in pages for pk in page) == sorted(row.pk for row in made)
    assert not lists[0].newer_url
    back = admin_client.get(LIST + lists[2].newer_url).context["cl"]
    assert [row.pk for row in back.result_list] == pages[1]
    back = admin_client.get(LIST + back.newer_url).context["cl"]
    assert [row.pk for row in back.result_list] == pages[0]


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
