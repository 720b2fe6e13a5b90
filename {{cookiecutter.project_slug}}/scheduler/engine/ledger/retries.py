"""Which runs are tried again, by themselves or on request, and what their next attempt is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from ...errors import ExecutionStateError
from ...models import Execution
from ...models.execution import FINAL, Status
from ...models.runspec import OnLost


class Attempt(Protocol):
    """A run in the hands of an executor, or its row."""

    attempt: int
    max_retries: int
    on_lost: str

    @property
    def cancel_requested(self) -> bool: ...


def may_retry(ended: str, run: Attempt) -> bool:
    """Return whether a run that ended with this status is retried by itself.

    A lost one only if its job says that it may run twice, and none that somebody asked to stop.
    """
    ended_badly = ended in (Status.FAILED, Status.TIMED_OUT) or (
        ended == Status.LOST and run.on_lost == OnLost.RETRY
    )
    return ended_badly and run.attempt <= run.max_retries and not run.cancel_requested


def next_attempt(row: Execution, ended: datetime) -> Execution:
    """Return a queued, unsaved row for the same slot, due after the job's ``retry_delay``."""
    due = ended + timedelta(seconds=row.retry_delay)
    return row.next_attempt(due_at=due, queued_at=ended)


def request_retry(ended: Execution, now: datetime, using: str, requested_by: str) -> Execution:
    """Queue one more attempt at what an ended execution stood for, as it was defined then.

    However it ended, and beyond ``max_retries``: somebody asked for it.

    Raises:
        ExecutionStateError: it has not ended, or it is being retried already.
    """
    if ended.status not in FINAL:
        raise ExecutionStateError(f"Execution {ended.pk} has not ended: {ended.status}")
    of_slot = Execution.objects.using(using).filter(
        job_uid=ended.job_uid, scheduled_run_time=ended.scheduled_run_time
    )
    if ended.scheduled_run_time is None:
        first = ended.first_attempt or ended.pk
        of_slot = of_slot.filter(Q(pk=first) | Q(first_attempt=first))
    already = ExecutionStateError(f"Execution {ended.pk} is being retried already")
    if of_slot.open().exists():
        raise already
    attempt = of_slot.aggregate(last=Max("attempt"))["last"] + 1
    execution = ended.next_attempt(
        attempt=attempt, due_at=now, queued_at=now, requested_by=requested_by
    )
    try:
        with transaction.atomic(using=using):
            execution.save(using=using, force_insert=True)
    except IntegrityError:  # of two who ask at once, one finds the attempt taken here
        raise already from None
    return execution
