"""Which runs are tried again, and what their next attempt is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from ..models import Execution
from ..models.execution import Kind, Status
from ..models.policies import POLICY_FIELDS, OnLost


class Attempt(Protocol):
    """A run in a worker's hands, or its row."""

    attempt: int
    max_retries: int
    on_lost: str


def may_retry(ended: str, run: Attempt) -> bool:
    """Whether a run that ended with this status is owed another attempt.

    A lost one only if its job says that it may run twice.
    """
    ended_badly = ended in (Status.FAILED, Status.TIMED_OUT) or (
        ended == Status.LOST and run.on_lost == OnLost.RETRY
    )
    return ended_badly and run.attempt <= run.max_retries


def next_attempt(row: Execution, ended: datetime) -> Execution:
    """A queued row for the same slot, due after the job's ``retry_delay``."""
    return Execution(
        job_id=row.job_id,
        job_uid=row.job_uid,
        job_name=row.job_name,
        scheduled_run_time=row.scheduled_run_time,
        attempt=row.attempt + 1,
        kind=Kind.RETRY,
        due_at=ended + timedelta(seconds=row.retry_delay),
        queued_at=ended,
        requested_by=row.requested_by,
        **{name: getattr(row, name) for name in POLICY_FIELDS},
    )
