"""One statement on each of several jobs: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from ..conf import conf
from ..models import Job
from . import rows
from .answer import Answer, cell


def each_of(job_ids: list[str], statement: Callable[[str], Any], done: str) -> Answer:
    """Raises what ``statement`` raises; then nothing has changed."""
    using = conf().DATABASE
    with transaction.atomic(using=using):
        for job_id in job_ids:
            statement(job_id)
    left = {row.id: row for row in Job.objects.using(using).filter(pk__in=job_ids)}
    lines = [
        f"{done} {job_id}"
        + (f": next run {cell(left[job_id].next_run_time)}" if job_id in left else "")
        for job_id in job_ids
    ]
    data = [
        rows.job(left[job_id]) if job_id in left else {"id": job_id, "state": "removed"}
        for job_id in job_ids
    ]
    return Answer(data, lines)
