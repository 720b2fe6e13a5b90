"""Problems that stand until somebody acts: told once when they last, and once when they are over.

A failed run is an event and has a signal. A job in quarantine, or a leader that reports an error,
is a state: the leader compares it with the notices, so that no restart tells it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from ..conf import conf
from ..db.clock import db_now
from ..masking import scrubbed
from ..models import Job, Notice
from ..models.job import JobState
from . import cluster
from .digest import Alert

TOLD_AFTER = timedelta(minutes=2)
"""A shorter one is no news: a rolling deploy may bring a job before the function that it names, and
the leader tries quarantined jobs again once a minute."""
MAX_JOBS = 1000
"""Quarantined jobs that are read, in the order of their ids."""

QUARANTINED = "quarantined"
LEADER_ERROR = "leader error"
PUBLISHING = "publishing fails"
OVER = {
    QUARANTINED: "no longer quarantined",
    LEADER_ERROR: "leader error over",
    PUBLISHING: "publishing again",
}
"""The kind of a standing problem -> that of the alert when it is over."""


NUMBER = re.compile(r"0x[0-9a-f]+|[0-9]+", re.I)


@dataclass(frozen=True)
class Problem:
    """One standing problem. ``job_id`` is empty where it concerns no job."""

    kind: str
    job_id: str
    text: str

    @property
    def key(self) -> str:
        """Return the key of its notice: a job has one problem of a kind, the leader several.

        Their texts are told apart without numbers, such as those of objects and ports, which each
        process has others of.
        """
        of_leader = NUMBER.sub("", self.text) if self.kind == LEADER_ERROR else ""
        of = f"{self.kind}\n{self.job_id or of_leader}"
        return f"problem {hashlib.sha256(of.encode()).hexdigest()[:48]}"


def check(now: datetime | None = None) -> list[Alert]:
    """Compare the problems of this moment with the notices.

    Two leaders may check at once, the old one before it notices that it has lost the lease: each
    notice is created, marked as told and deleted by one of them, and only that one tells.

    Returns:
        What this process is to tell now.

    Raises:
        DatabaseError: the database cannot be read or written.
    """
    using = conf().DATABASE
    now = now or db_now(using)
    notices = Notice.objects.using(using).exclude(kind="")
    noted = {notice.key: notice for notice in notices}
    standing = {problem.key: problem for problem in _standing(using)}
    alerts = []
    for key, problem in standing.items():
        notice = noted.get(key)
        if notice is None:
            _note(key, problem, now, using)
        elif notice.at > now:  # the clock was set back: begin to wait anew
            notices.filter(key=key).update(at=now)
        elif not notice.told and notice.at <= now - TOLD_AFTER:
            told = notices.filter(key=key, told=False).update(told=True, text=problem.text)
            alerts += [Alert(problem.kind, problem.job_id, problem.text)] * told
    for key in noted.keys() - standing.keys() - _beyond(noted, standing, using):
        notice = noted[key]
        if notices.filter(key=key).delete()[0] and notice.told:
            alerts.append(Alert(OVER[notice.kind], notice.job_id, f"Before: {notice.text}"))
    return alerts


def _standing(using: str) -> list[Problem]:
    jobs = Job.objects.using(using).filter(state=JobState.QUARANTINED).order_by("id")[:MAX_JOBS]
    found = [Problem(QUARANTINED, job.id, scrubbed(job.last_error, job)) for job in jobs]
    leader = cluster.read(using).leader
    if leader is not None and leader.node.error:
        found.append(Problem(LEADER_ERROR, "", leader.node.error))
    if leader is not None and leader.node.publish_error:
        found.append(Problem(PUBLISHING, "", leader.node.publish_error))
    return found


def _beyond(noted: Mapping[str, Notice], standing: Container[str], using: str) -> set[str]:
    """Return the keys of jobs that are in quarantine and beyond those that were read."""
    left = {key: noted[key].job_id for key in noted if key not in standing and noted[key].job_id}
    jobs = Job.objects.using(using).filter(pk__in=left.values(), state=JobState.QUARANTINED)
    still = set(jobs.values_list("pk", flat=True))
    return {key for key, job_id in left.items() if job_id in still}


def _note(key: str, problem: Problem, now: datetime, using: str) -> None:
    try:
        with transaction.atomic(using=using):
            Notice.objects.using(using).create(
                key=key, at=now, kind=problem.kind, job_id=problem.job_id, text=problem.text
            )
    except IntegrityError:  # the other leader was first
        pass
