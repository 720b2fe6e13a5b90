"""Jobs and executions as data for ``--json`` and as table cells, sensitive values masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from ...definitions.loading import why_set_aside
from ...formatting import duration, escaped, one_line
from ...masking import scrubbed, shown
from ...models import Execution, Job
from ...models.runspec import snapshot
from ...triggers import TriggerError, describe, loads

MAX_CELL = 64
"""Characters of a table's cell: one id may have 255. ``show`` and ``--json`` cut nothing ..."""
MAX_LAST_CELL = 200
"""... and the last column widens no other."""


def json_text(data: Any, letters: bool = True, indent: int | None = 2) -> str:
    """Return the data as JSON that is safe on a terminal.

    Args:
        letters: write those beyond ASCII as they are; else escaped, as all else.
    """
    text = json.dumps(data, indent=indent, ensure_ascii=not letters, default=str)
    safe = (char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    return "".join(safe)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return lines with columns as wide as they need to be; one line if there are no rows."""
    if not rows:
        return ["None."]
    limits = [MAX_CELL] * (len(heads) - 1) + [MAX_LAST_CELL]
    cut = [
        [one_line(cell(value), most) for value, most in zip(row, limits, strict=True)]
        for row in rows
    ]
    cells = [list(heads), *cut]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def cell(value: Any) -> str:
    """Return the value on one line: times in the current zone, durations in words.

    Control characters are escaped: whoever names a job does not write to the terminal.
    """
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, timedelta):
        return duration(value)
    return escaped(" ".join(str(value).split()))


def job_summary(row: Job) -> dict[str, Any]:
    """Return what ``list`` gives for a job."""
    return {
        "id": row.id,
        "name": row.name,
        "state": str(row.state),
        "next_run_time": iso(row.next_run_time),
        "trigger": trigger_in_words(row),
        "func": row.func,
        "executor": row.executor,
        "declared": row.declared,
        "last_error": scrubbed(why_set_aside(row), row),
    }


def job_details(row: Job) -> dict[str, Any]:
    """Return what ``show`` gives for a job."""
    return job_summary(row) | {
        "arguments": dict(shown(row)),
        "trigger_json": row.trigger,
        "coalesce": row.coalesce,
        "misfire_grace_time": row.misfire_grace_time,
        **_policies(row),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def _policies(row: Job) -> dict[str, Any]:
    """Return the job's policies, without the call itself, which is shown masked."""
    call = ("func", "args", "kwargs", "executor", "sensitive")
    return {name: value for name, value in snapshot(row).items() if name not in call}


def execution_data(row: Execution) -> dict[str, Any]:
    """Return what ``history``, ``run`` and ``cancel`` give for an execution."""
    duration = row.duration
    return {
        "id": row.pk,
        "job_id": row.job_id,
        "kind": str(row.kind),
        "status": str(row.status),
        "attempt": row.attempt,
        "slots": row.slots,
        "scheduled_run_time": iso(row.scheduled_run_time),
        "queued_at": iso(row.queued_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "duration": duration.total_seconds() if duration is not None else None,
        "reason": scrubbed(row.reason, row),
        "requested_by": row.requested_by,
        "exception": scrubbed(row.exception, row),
        "return_value": scrubbed(row.return_value, row),
    }


def reason(row: Execution) -> str:
    """Return why the execution did not succeed."""
    return scrubbed(row.exception or row.reason, row)


def trigger_in_words(row: Job) -> str:
    """Return the trigger as a person would say it."""
    try:
        return describe(loads(row.trigger))
    except TriggerError as error:
        return f"cannot be read: {error}"


def iso(at: datetime | None) -> str | None:
    """Return the time as ISO 8601."""
    return at.isoformat() if at is not None else None
