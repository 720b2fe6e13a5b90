"""Check that the ledger holds every slot that was owed, once, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Q, QuerySet

from ..conf import conf
from ..db.clock import db_now
from ..models import Change, Execution, Job
from ..models.change import Action
from ..models.execution import Kind
from ..models.job import JobState
from . import cluster, owed
from .owed import Segment

SETTLED = timedelta(seconds=2)
"""Slots younger than this may be on their way into the ledger."""
OVERDUE = timedelta(seconds=60)
"""A job that is due for longer waits for a scheduler that does not come."""


@dataclass(frozen=True)
class Finding:
    """A slot that the ledger does not explain, or explains twice."""

    job_id: str
    slot: datetime
    what: str


@dataclass
class AuditReport:
    """What was due in a period, what became of it, and what is unexplained."""

    since: datetime
    until: datetime
    jobs: int = 0
    owed: int = 0
    dropped: int = 0
    """Due slots that a change of the job took out of the schedule: the change explains them."""
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be judged, and why."""


@dataclass
class Entry:
    """A row of the ledger: one slot, or a stretch of them."""

    first: datetime
    last: datetime
    slots: int
    status: str
    whole: bool
    """Whether all of it lies in the period; of the others nobody counts the slots."""
    seen: int = 0


def audit(using: str, since: datetime, until: datetime | None = None) -> AuditReport:
    """Compare what was owed in [since, until] with the ledger, job by job.

    Args:
        until: now by default, less what may still be on its way.
    """
    now = db_now(using)
    since = max(since, now - timedelta(days=conf().KEEP_DAYS))
    report = AuditReport(since, min(until or now, now - SETTLED))
    jobs = {job.uid: job for job in Job._base_manager.using(using)}
    changes = Change._base_manager.using(using).order_by("job_uid", "id")
    paused = _is_paused(report, using)
    recorded = set()
    for uid, its_changes in groupby(changes.iterator(), key=lambda change: change.job_uid):
        recorded.add(uid)
        _audit_job(report, list(its_changes), jobs.get(uid), using)
    for job in jobs.values():
        if job.uid not in recorded:
            report.notes.append(f"{job.id}: nobody recorded how it was added; not compared")
        if not paused:
            _note_overdue(report, job, now)
    return report


def _audit_job(report: AuditReport, changes: list[Change], job: Job | None, using: str) -> None:
    job_id, uid = changes[0].job_id, changes[0].job_uid
    try:
        segments = owed.segments(changes, job)
        if not segments:
            return
        report.jobs += 1
        since = _history_begins(report, job_id, uid, using)
        since = max(since, _rules_begin(report, changes))
        entries = list(_entries(uid, since, report.until, using))
        for segment in segments:
            report.dropped += owed.dropped(segment)
            _compare(report, segment, entries, since)
    except ValueError as error:  # of this job nothing can be said; of the others it can
        report.notes.append(f"{job_id}: not compared: {error}")
        return
    for entry in entries:
        report.outcomes[entry.status] += entry.slots
        if entry.whole and entry.seen != entry.slots:
            what = f"{entry.status} for {entry.slots} slots, and {entry.seen} were owed"
            report.findings.append(Finding(job_id, entry.first, what))


def _compare(report: AuditReport, segment: Segment, entries: list[Entry], since: datetime) -> None:
    """Compare the slots of a segment with the rows.

    Each slot is a row's first, or lies in the stretch that began with a slot before it. Two
    segments may overlap in time, if the clock was set back between them: a row belongs to the one
    that owed its first slot.
    """
    begins = {entry.first: entry for entry in entries}
    stretch = next((entry for entry in entries if entry.first < since), None)
    for slot in owed.slots(segment, since, report.until):
        report.owed += 1
        if (entry := begins.get(slot)) is not None:
            entry.seen, stretch = 1, entry
        elif stretch is not None and slot <= stretch.last:
            stretch.seen += 1
        else:
            report.findings.append(Finding(segment.job_id, slot, "owed, not in the ledger"))


def _entries(uid: UUID, since: datetime, until: datetime, using: str) -> Iterator[Entry]:
    ends = Q(scheduled_run_time__gte=since) | Q(last_run_time__gte=since)
    for row in _scheduled(uid, using).filter(ends, scheduled_run_time__lte=until).iterator():
        first = row.scheduled_run_time
        assert first is not None
        last = row.last_run_time or first
        yield Entry(first, last, row.slots, row.status, whole=since <= first and last <= until)


def _scheduled(uid: UUID, using: str) -> QuerySet[Execution]:
    rows = Execution._base_manager.using(using).filter(job_uid=uid, kind=Kind.SCHEDULE)
    columns = ("scheduled_run_time", "last_run_time", "slots", "status")
    return rows.only(*columns).order_by("scheduled_run_time")


def _history_begins(report: AuditReport, job_id: str, uid: UUID, using: str) -> datetime:
    """Return the time before which no slot is judged, since retention may have deleted its row.

    Retention counts all rows of the job's id: also manual runs, retries, and those of a job of that
    id that was removed.
    """
    rows = Execution._base_manager.using(using).filter(job_id=job_id).order_by("-id")
    oldest = rows.values_list("id", "queued_at")[conf().KEEP_PER_JOB - 1 :].first()
    if oldest is None:
        return report.since
    # What was due later was queued later. Of what was due before, nothing is certain: rows that
    # were queued together have ids in any order, and an old one may be left since it was open.
    begins = oldest[1] + timedelta.resolution
    left = _scheduled(uid, using).filter(id__gte=oldest[0]).first()
    if left is not None and left.scheduled_run_time is not None:  # imported rows look old
        begins = max(begins, left.scheduled_run_time)
    if begins > report.since:
        report.notes.append(f"{job_id}: its history begins at {begins} (APSCHEDULER_KEEP_PER_JOB)")
    return max(begins, report.since)


def _rules_begin(report: AuditReport, changes: list[Change]) -> datetime:
    """Return since when the rules of now count for the job's time zone."""
    moved = [change for change in changes if change.action == Action.MOVED]
    if not moved or moved[-1].at <= report.since:
        return report.since
    report.notes.append(
        f"{moved[-1].job_id}: the rules of its time zone changed; compared since {moved[-1].at}"
    )
    return moved[-1].at


def _is_paused(report: AuditReport, using: str) -> bool:
    """Return whether the cluster is paused: whatever is due then waits."""
    at = cluster.read(using).paused_at
    if at is not None:
        report.notes.append(f"paused since {at}: jobs that are due were not checked")
    return at is not None


def _note_overdue(report: AuditReport, job: Job, now: datetime) -> None:
    due = job.next_run_time
    if job.state == JobState.ACTIVE and due is not None and due < now - OVERDUE:
        report.findings.append(Finding(job.id, due, "due, and no scheduler has claimed it"))
