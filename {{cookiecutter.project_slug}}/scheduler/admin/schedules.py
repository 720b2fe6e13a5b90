"""A job's trigger, in words and raw."""

from __future__ import annotations

from ..models import Job


def words(job: Job) -> str:
    return raw(job)


def raw(job: Job) -> str:
    return job.trigger
