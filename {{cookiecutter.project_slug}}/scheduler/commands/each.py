"""One statement on each of several jobs: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.db import transaction

from ..conf import conf
from ..models import Job
from . import rows
from .answer import Answer, cell

COMES_BACK = (
    "It is declared: while its @job is in the code, the next leader adds it again. "
    "Pause it instead, or delete its @job."
)


def each_of(job_ids: list[str], statement: Callable[[str], Any], done: str) -> Answer:
    """Raises what ``statement`` raises; then nothing has changed."""
    using = conf().DATABASE
    job_ids = list(dict.fromkeys(job_ids))  # whoever says an id twice means it once
    try:
        with transaction.atomic(using=using):
            before = _locked(job_ids, using)
            for job_id in job_ids:
                statement(job_id)
    except LookupError as error:
        if len(job_ids) > 1:
            error.add_note("Nothing was changed.")
        raise
    left = {row.id: row for row in Job.objects.using(using).filter(pk__in=job_ids)}
    lines, data = [], []
    for job_id in job_ids:
        if job_id in left:
            lines.append(f"{done} {job_id}: next run {cell(left[job_id].next_run_time)}")
            data.append(rows.job(left[job_id]))
        else:
            declared = before[job_id].declared
            lines.append(f"{done} {job_id}" + (f". {COMES_BACK}" if declared else ""))
            data.append({"id": job_id, "state": "removed", "declared": declared})
    return Answer(data, lines)


def _locked(job_ids: list[str], using: str) -> dict[str, Job]:
    """All of the rows, before the first statement: a rollback takes back no line of the log."""
    wanted = Job.objects.using(using).select_for_update().filter(pk__in=job_ids).order_by("pk")
    found = {row.id: row for row in wanted}
    if missing := [job_id for job_id in job_ids if job_id not in found]:
        raise JobLookupError(", ".join(missing))
    return found
