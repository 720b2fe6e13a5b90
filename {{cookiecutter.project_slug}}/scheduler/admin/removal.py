"""Removing jobs: their history stays, so it costs the same however long that is."""

from __future__ import annotations

from contextlib import suppress

from apscheduler.jobstores.base import JobLookupError
from django.contrib.admin.models import DELETION, LogEntry
from django.http import HttpRequest

from .. import scheduler
from ..changes import changed_by
from ..models import Job
from . import audit


def remove(request: HttpRequest, job_id: str) -> None:
    # Somebody may have been faster.
    with suppress(JobLookupError), changed_by(request.user.get_username()):
        scheduler.remove_job(job_id)


def log(request: HttpRequest, job: Job) -> LogEntry:
    """What is about to be removed, so that it could be added again."""
    before = audit.definition(job)
    told = "; ".join(
        f"{audit.label(name)}: {audit.value(name, before[name])}"
        for name in ("func", "args", "kwargs", "trigger", "state")
    )
    return audit.log(request, job, f"Removed. Was: {told}", DELETION)
