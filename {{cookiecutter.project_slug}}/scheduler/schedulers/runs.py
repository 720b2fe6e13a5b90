"""Ask the scheduler for a run, or to stop one: rows and a wake-up, no job function here."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from apscheduler.util import check_callable_args
from django.db import connections

from .. import serialization
from ..conf import conf
from ..db.clock import DbNow, db_now, monotonic
from ..definitions import changes, references
from ..definitions.loading import why_set_aside
from ..engine.ledger.retries import request_retry
from ..errors import (
    DefinitionError,
    ExecutionLookupError,
    ExecutionStateError,
    InAtomicBlockError,
    RunNowTimeoutError,
)
from ..models import Execution, Job, Lease
from ..models.execution import FINAL, Kind, Status

logger = logging.getLogger("scheduler.client")

POLL_INTERVAL = 0.05
"""Seconds between two looks at a run that somebody waits for."""


def run_now(
    job_id: str,
    using: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    requested_by: str = "",
) -> Execution:
    """Queue one run of the job beside its schedule, which does not move.

    Raises:
        UnknownJobError: no such job.
        DefinitionError: the job cannot be run as it is stored.
        ValueError: the function does not take these arguments.
        SerializationError: an argument that cannot be kept.
    """
    row = Job.objects.using(using).filter(pk=job_id).first()
    if row is None:
        raise changes.unknown_job(job_id, using)
    columns = _called_with(row, args, kwargs)
    now = db_now(using)
    execution = Execution.for_job(
        row,
        kind=Kind.MANUAL,
        due_at=now,
        queued_at=now,
        requested_by=changes.signature(requested_by),
        **columns,
    )
    execution.save(using=using, force_insert=True)
    return execution


def check_wait(timeout: float | None) -> None:
    """Check for how long a caller wants to wait, before anything is queued.

    Raises:
        ValueError: a negative number, or NaN, after which no wait would end.
    """
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"timeout must be 0 seconds or more, not {timeout!r}")


def wait_for(execution: Execution, using: str, timeout: float | None = None) -> Execution:
    """Wait until the run has ended, and read its row again.

    Args:
        timeout: seconds; ``APSCHEDULER_RUN_NOW_TIMEOUT`` if None.

    Raises:
        InAtomicBlockError: the run is not committed yet, so that nobody could start it.
        RunNowTimeoutError: it has not ended in time; it goes on.
    """
    refuse_in_atomic_block(using)
    limit = conf().RUN_NOW_TIMEOUT if timeout is None else timeout
    if not is_anybody_alive(using):
        logger.warning("Run %s waits: no scheduler is alive. %s", execution.pk, START_ONE)
    end = monotonic() + limit
    while True:
        execution.refresh_from_db(using=using)
        if execution.status in FINAL:
            return execution
        if monotonic() >= end:
            raise RunNowTimeoutError(_late(execution, limit, using), execution)
        time.sleep(POLL_INTERVAL)


def cancel(execution_id: int, using: str, requested_by: str = "") -> Execution:
    """Cancel what is queued at once; ask what is running to stop.

    Raises:
        ExecutionLookupError: no such execution.
        ExecutionStateError: it has ended.
    """
    rows = Execution.objects.using(using).filter(pk=execution_id)
    requested_by = changes.signature(requested_by)
    reason = f"cancelled by {requested_by}" if requested_by else "cancelled on request"
    cancelled = rows.filter(status=Status.QUEUED).update(
        status=Status.CANCELLED, reason=reason, cancel_requested_at=DbNow(), finished_at=DbNow()
    )
    if not cancelled:
        cancelled = rows.filter(status=Status.RUNNING).update(cancel_requested_at=DbNow())
    execution = _execution(execution_id, using)
    if not cancelled:
        raise ExecutionStateError(f"Execution {execution_id} has ended: {execution.status}")
    return execution


def retry(execution_id: int, using: str, requested_by: str = "") -> Execution:
    """Queue one more attempt at what an ended execution stood for, as it was defined then.

    Raises:
        ExecutionLookupError: no such execution.
        ExecutionStateError: it has not ended, or it is retried already.
    """
    ended = _execution(execution_id, using)
    return request_retry(ended, db_now(using), using, changes.signature(requested_by))


def is_anybody_alive(using: str) -> bool:
    """Return whether some scheduler holds an unexpired lease, by the database's clock."""
    held = Lease.objects.using(using).filter(holder__isnull=False, expires_at__gt=DbNow())
    return held.exists()


def refuse_in_atomic_block(using: str) -> None:
    """Refuse to wait for a run inside a transaction, which would hide it from the scheduler.

    Raises:
        InAtomicBlockError: the connection is inside ``transaction.atomic()``.
    """
    if connections[using].in_atomic_block:
        raise InAtomicBlockError(
            "A run cannot be waited for inside transaction.atomic(): the scheduler sees it after "
            "the commit, so the wait would never end. Ask for it here and wait afterwards, or "
            "do not wait."
        )


START_ONE = "Start one with: manage.py runapscheduler"


def _called_with(
    row: Job, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None
) -> dict[str, str]:
    if not row.can_run:
        raise DefinitionError(row.id, "definition", LookupError(why_set_aside(row) or row.state))
    columns = {
        "args": row.args if args is None else serialization.dumps_args(args),
        "kwargs": row.kwargs if kwargs is None else serialization.dumps_kwargs(kwargs),
    }
    try:
        function = references.resolve(row.func)
    except references.FunctionError as error:
        raise DefinitionError(row.id, "function", error) from error
    if columns != {"args": row.args, "kwargs": row.kwargs}:
        check_callable_args(
            function,
            serialization.loads_args(columns["args"]),
            serialization.loads_kwargs(columns["kwargs"]),
        )
    return columns


def _execution(execution_id: int, using: str) -> Execution:
    execution = Execution.objects.using(using).filter(pk=execution_id).first()
    if execution is None:
        raise ExecutionLookupError(f"No execution {execution_id} was found")
    return execution


def _late(execution: Execution, limit: float, using: str) -> str:
    text = f"Run {execution.pk} of job {execution.job_id!r} is {execution.status} after {limit:g} s"
    if execution.status == Status.QUEUED and not is_anybody_alive(using):
        return f"{text}: no scheduler is alive. {START_ONE}"
    return f"{text}. It goes on; its row will say how it ended."
