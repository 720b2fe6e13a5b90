"""Who ended the scheduler's process: found without a statement for each run that was lost."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from scheduler.engine.maintenance.crashes import Crashes
from scheduler.models import Execution
from scheduler.models.execution import Status

pytestmark = pytest.mark.django_db


def lost(count: int, uid: object = None) -> None:
    now = timezone.now()
    Execution.objects.bulk_create(
        Execution(
            job_id="task", job_uid=uid or uuid4(), func="tests.bodies:note", args="[]",
            kwargs="{}", status=Status.LOST, reason="its scheduler host:1 is gone", due_at=now,
            queued_at=now, started_at=now, finished_at=now,
        )
        for _ in range(count)
    )  # fmt: skip


def test_many_lost_runs_of_different_jobs_cost_a_new_leader_no_statement_each():
    suspect = uuid4()
    lost(2, suspect)
    lost(60)
    crashes = Crashes("default")
    with CaptureQueriesContext(
        connection,
    ) as statements:
        crashes.judge([], timezone.now())
    assert crashes.suspects == {suspect}
    assert len(statements) <= 4
