"""The shop of the admin's tests, with a history in which everything that can happen has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.admin.conftest import declared, shop
from tests.admin.test_actions import ROW, make_execution

__all__ = ["declared", "shop"]

PK = 1_234_567


@pytest.fixture
def history(declared):
    """A leader, a standby, a silent process; runs of every outcome, one with all that a run has."""
    from scheduler.models import Execution, Job, Lease, Node, Term
    from scheduler.models.execution import FINAL

    now = timezone.now()
    nodes = [
        Node.objects.create(
            role=role, host="alpha", pid=54_321 + n, started_at=now, beat_at=now - ago, ttl=60,
            workers=10, busy_workers=3, wake_mode="notify", error="OSError",
            publish_error="OSError",
        )
        for n, (role, ago) in enumerate(
            [("leader", 0), ("standby", 0), ("draining", 0), ("standby", 500)]
        )
        for ago in [timedelta(seconds=ago)]
    ]  # fmt: skip
    leader = nodes[0].pk
    lease = {"holder": leader, "term": 2, "expires_at": now + timedelta(minutes=1)}
    Lease.objects.update_or_create(id=1, defaults={**lease, "renewed_at": now, "acquired_at": now})
    for term, cause in ((1, "first"), (2, "expired")):
        Term.objects.create(
            term=term, node_id=leader, host="alpha", pid=54_321, acquired_at=now, cause=cause,
            gap=3.5 if term > 1 else None, code="abc",
        )  # fmt: skip
    job = declared[ROW]
    ran = {"started_at": now - timedelta(seconds=40), "finished_at": now, "term": 2}
    make_execution(job, pk=PK - 20, status="succeeded", **ran)
    for n, status in enumerate(FINAL):
        at = now - timedelta(minutes=n)
        make_execution(
            job, pk=PK - 10 + n, status=status, scheduled_run_time=at, node_id=leader, **ran
        )
    make_execution(
        job, pk=PK, attempt=2, status="failed", node_id=leader, max_retries=3, requested_by="admin",
        exception="OSError", traceback="Traceback", log="x", return_value="1", kind="retry", **ran,
    )  # fmt: skip
    make_execution(job, pk=PK + 1, status="running", started_at=now, cancel_requested_at=now)
    make_execution(job, pk=PK + 2, status="queued")
    make_execution(
        job, pk=PK + 3, status="missed", slots=5, finished_at=now, last_run_time=now, attempt=3
    )
    make_execution(
        job, pk=PK + 4, job_id="task:demo_app.tasks.nap", status="succeeded",
        task_backend="default", task_queue="default", scheduled_run_time=None, **ran,
    )  # fmt: skip
    states = ("paused", "finished", "quarantined", "retired")
    for state, other in zip(states, [j for j in declared.values() if j.pk != ROW], strict=False):
        Job.objects.filter(pk=other.pk).update(state=state, last_error="OSError")
    Job.objects.filter(pk=ROW).update(max_retries=9, timeout=5, retry_delay=3)
    return Execution.objects.count()
