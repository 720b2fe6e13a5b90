"""Every change of a job's definition, by whichever way it came: admin, code or a deploy."""

from __future__ import annotations

from dataclasses import dataclass

from ..conf import conf
from ..models import Change, Job
from . import audit

SHOWN = 100


@dataclass(frozen=True)
class Entry:
    change: Change
    told: str


def of(job_id: str) -> list[Entry]:
    """Newest first, of the job that has this id now."""
    using = conf().DATABASE
    job = Job.objects.using(using).filter(pk=job_id).first()
    if job is None:
        return []
    names = audit.ever_sensitive(job)
    changes = Change.objects.using(using).filter(job_uid=job.uid)[:SHOWN]
    return [Entry(change, audit.told(change, names)) for change in changes]
