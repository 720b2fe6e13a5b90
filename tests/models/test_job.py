"""What a job's state allows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scheduler.models import Job
from scheduler.models.job import JobState

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "next_due", "can_run"),
    [
        (JobState.ACTIVE, NOON, True),
        (JobState.PAUSED, None, True),
        (JobState.FINISHED, None, True),
        (JobState.QUARANTINED, None, False),
        (JobState.RETIRED, None, False),
    ],
)
def test_only_an_active_job_is_due_and_one_that_cannot_be_loaded_runs_for_nobody(
    state, next_due, can_run
):
    job = Job(state=state, next_run_time=NOON)
    assert (job.next_due, job.can_run) == (next_due, can_run)
