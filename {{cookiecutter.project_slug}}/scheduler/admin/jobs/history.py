"""Every change of a job's definition, whether from the admin, from code or from a deploy."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from ...conf import conf
from ...models import Change, Job
from .. import log

MAX_CHANGES = 100


@dataclass(frozen=True)
class Entry:
    change: Change
    description: str


def clicks(job_id: str) -> list[LogEntry]:
    """Return what Django's admin log holds about the job, newest first."""
    jobs = ContentType.objects.get_for_model(Job)
    entries = LogEntry.objects.filter(content_type=jobs, object_id=job_id)
    return list(entries.select_related("user").order_by("-action_time", "-pk")[:MAX_CHANGES])


def of(job_id: str) -> list[Entry]:
    """Return the changes of the job that has this id now, newest first."""
    using = conf().DATABASE
    job = Job.objects.using(using).filter(pk=job_id).first()
    if job is None:
        return []
    names = log.ever_sensitive(job)
    changes = Change.objects.using(using).filter(job_uid=job.uid)[:MAX_CHANGES]
    return [Entry(change, log.describe_change(change, names)) for change in changes]
