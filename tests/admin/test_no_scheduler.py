"""A run that is asked for while no scheduler lives: whoever asks is told, and the page says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone
from scheduler.admin.executions import page
from scheduler.models import Execution, Lease

pytestmark = pytest.mark.django_db

LIST = "/admin/scheduler/job/"
ROW = "demo_app.sync_stock"
JOB = f"{LIST}demo_5Fapp.sync_5Fstock/"
WAITS = "Queued. No scheduler process is running. Start one with: manage.py runapscheduler"


def told(answer) -> list[tuple[str, str]]:
    return [(each.level_tag, str(each)) for each in get_messages(answer.wsgi_request)]


@pytest.fixture
def failed(declared) -> Execution:
    job, at = declared[ROW], timezone.now()
    return Execution.objects.create(
        job_id=job.pk,
        job_uid=job.uid,
        func=job.func,
        status="failed",
        due_at=at,
        queued_at=at,
        started_at=at,
        finished_at=at,
    )


@pytest.fixture
def ways(failed) -> list[tuple[str, dict]]:
    """Every way to ask for a run."""
    return [
        (f"{JOB}run/", {}),
        (LIST, {"action": "run_selected", "_selected_action": [ROW], "confirmed": "yes"}),
        (f"/admin/scheduler/execution/{failed.pk}/retry/", {}),
        (
            "/admin/scheduler/execution/",
            {"action": "retry_selected", "_selected_action": [failed.pk]},
        ),
    ]


@pytest.mark.parametrize("way", range(4))
def test_a_run_that_nobody_will_start_is_a_warning(admin_client, ways, way):
    url, data = ways[way]
    assert ("warning", WAITS) in told(admin_client.post(url, data))
    assert Execution.objects.filter(status="queued").count() == 1


@pytest.mark.parametrize("way", range(4))
def test_with_a_living_scheduler_there_is_no_warning(admin_client, ways, way):
    soon = timezone.now() + timedelta(minutes=1)
    Lease.objects.update_or_create(
        pk=1, defaults={"holder": "7" * 32, "term": 1, "expires_at": soon}
    )
    url, data = ways[way]
    assert [level for level, _ in told(admin_client.post(url, data))] == ["success"]


def test_a_queued_run_is_waiting_and_a_started_one_waited():
    due = timezone.now()
    queued = Execution(due_at=due, status="queued")
    assert page.span_bar(queued, due + timedelta(seconds=3)).title == "waiting 3.0 s"
    started = Execution(due_at=due, started_at=due + timedelta(seconds=1), status="running")
    assert page.span_bar(started, due + timedelta(seconds=3)).title == "waited 1.0 s, ran 2.0 s"
