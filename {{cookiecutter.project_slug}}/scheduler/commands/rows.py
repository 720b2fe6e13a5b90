"""Jobs and executions as data, with times in UTC and without what is sensitive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..masking import scrubbed, shown
from ..models import Execution, Job
from ..triggers import TriggerError, describe, loads


def job(row: Job) -> dict[str, Any]:
    """What ``list`` gives for a job."""
    return {
        "id": row.id,
        "name": row.name,
        "state": str(row.state),
        "next_run_time": time(row.next_run_time),
        "trigger": words(row),
        "func": row.func,
        "executor": row.executor,
        "declared": row.declared,
        "last_error": scrubbed(row.last_error, row),
    }


def whole_job(row: Job) -> dict[str, Any]:
    """What ``show`` gives for a job."""
    return job(row) | {
        "arguments": dict(shown(row)),
        "trigger_json": row.trigger,
        "coalesce": row.coalesce,
        "max_instances": row.max_instances,
        "misfire_grace_time": row.misfire_grace_time,
        "timeout": row.timeout,
        "warn_after": row.warn_after,
        "max_retries": row.max_retries,
        "retry_delay": row.retry_delay,
        "on_lost": row.on_lost,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def execution(row: Execution) -> dict[str, Any]:
    """What ``history``, ``run`` and ``cancel`` give for an execution."""
    duration = row.duration
    return {
        "id": row.pk,
        "job_id": row.job_id,
        "kind": str(row.kind),
        "status": str(row.status),
        "attempt": row.attempt,
        "slots": row.slots,
        "scheduled_run_time": time(row.scheduled_run_time),
        "queued_at": time(row.queued_at),
        "started_at": time(row.started_at),
        "finished_at": time(row.finished_at),
        "duration": duration.total_seconds() if duration is not None else None,
        "reason": scrubbed(row.reason, row),
        "requested_by": row.requested_by,
        "exception": scrubbed(row.exception, row),
        "return_value": scrubbed(row.return_value, row),
    }


def why(row: Execution) -> str:
    """On one line, why it did not succeed."""
    return scrubbed(row.exception or row.reason, row)


def words(row: Job) -> str:
    """The trigger as a person would say it."""
    try:
        return describe(loads(row.trigger))
    except TriggerError as error:
        return f"cannot be read: {error}"


def time(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
