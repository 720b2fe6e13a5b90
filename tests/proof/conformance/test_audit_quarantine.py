"""The audit of a job whose trigger was changed while it was in quarantine."""

# ruff: noqa: F811  (fixtures that come from another file)

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction
from scheduler import scheduler, triggers
from scheduler.definitions import changes
from scheduler.engine.maintenance.quarantine import Quarantine
from scheduler.engine.maintenance.replan import replan
from scheduler.models import Job
from scheduler.monitoring.audit import audit

from .jobs import runs, second
from .test_audit import start, ticking  # noqa: F401  (fixtures)


def planned(now: datetime) -> None:
    with transaction.atomic():  # as in a turn
        replan(now, "default")


def release() -> None:
    with transaction.atomic():
        Quarantine("default").release(("default",))


@pytest.mark.parametrize("way", ["edited", "mended by SQL", "mended by the client"])
def test_a_trigger_that_changes_in_quarantine_counts_from_the_run_that_is_owed(
    a, start, ticking, database_clock, way
):
    """The next run time stays, and lies in the past: 9, when the change comes at 13."""
    slower = triggers.build("interval", seconds=2, start_date=second(start, 1), timezone=UTC)
    changes.quarantine(Job.objects.get(), "its function is gone", "default")
    if way != "edited":
        Job.objects.update(trigger="{broken")
        planned(database_clock.now())
    if way == "mended by the client":
        scheduler.modify_job("job", trigger=slower)
    else:
        Job.objects.update(trigger=triggers.dumps(slower))
        planned(database_clock.now())
        release()
    a.turn_until(lambda: runs(scheduled_run_time=second(start, 13), status="succeeded"))
    database_clock.move(5)
    report = audit("default", start, second(start, 13))
    assert (report.findings, report.notes) == ([], [])
    assert report.outcomes == {"succeeded": 6, "skipped": 4 + 2}
