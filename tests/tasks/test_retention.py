"""How long the runs of tasks are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test.utils import override_settings
from scheduler.engine.maintenance.retention import Retention
from scheduler.models import Execution
from scheduler.testing import run_due, scheduler_clock
from scheduler.testing.engine import InlineEngine

from . import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db

BACKEND = "scheduler.tasks.SchedulerBackend"
TASKS = {
    "default": {"BACKEND": BACKEND},
    "short": {"BACKEND": BACKEND, "OPTIONS": {"keep_days": 1}},
}


def prune(now: datetime) -> None:
    with InlineEngine("default", ["default"]) as engine:
        retention = Retention(engine.lease)
        while retention.step(now):
            pass


@override_settings(TASKS=TASKS)
def test_a_backend_may_keep_its_runs_for_a_shorter_time(scheduler_clock):
    kept = bodies.add.enqueue(1)
    pruned = [bodies.add.using(backend="short").enqueue(n) for n in range(3)]
    run_due()
    waiting = bodies.add.using(backend="short").enqueue(9)

    prune(scheduler_clock.tick(hours=23))
    assert Execution.objects.count() == 5
    prune(scheduler_clock.tick(hours=2))
    left = {str(uid) for uid in Execution.objects.values_list("job_uid", flat=True)}
    assert left == {kept.id, waiting.id}
    assert pruned


def test_fresh_results_are_not_deleted_by_count(scheduler_clock, settings):
    settings.APSCHEDULER_KEEP_PER_JOB = 2
    for n in range(5):
        bodies.add.enqueue(n)
    run_due()
    prune(scheduler_clock.tick(timedelta(minutes=50)))
    assert Execution.objects.count() == 5
    prune(scheduler_clock.tick(timedelta(minutes=20)))
    assert Execution.objects.count() == 2
