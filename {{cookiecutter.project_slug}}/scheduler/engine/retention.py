"""History is pruned by age and by count, in batches so small that the loop hardly waits."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from ..conf import conf
from ..models import Change, Execution, Job
from ..models.execution import FINAL
from . import tallies
from .clock import db_now, monotonic
from .lease import Lease

BATCH = 500
PAGE = 500
EVERY = 60.0


class Retention:
    """One small step at a time, called by the leader after its chores."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._using = lease.using
        self._by_age_at = 0.0
        self._judged = ""
        """Up to this job, in the order of the index."""

    def step(self, now: datetime) -> int:
        """Delete at most one batch by age and one of a single job by count.

        Returns:
            How many rows were deleted.

        Raises:
            LeaseLost: by the last batch nothing was deleted.
        """
        deleted = self._beyond_keep()
        if monotonic() >= self._by_age_at:
            self._by_age_at = monotonic() + EVERY  # first: what fails is not repeated at once
            before = now - timedelta(days=conf().KEEP_DAYS)
            old = self._delete(_ended_before(before, self._using))
            changes = _forget_removed_jobs(before, self._using)
            if BATCH in (old, changes):  # there may be more
                self._by_age_at = 0.0
            deleted += old
        return deleted

    def _beyond_keep(self) -> int:
        """A page of the index, or less where a job on it has too many rows. One-off jobs fill a
        page by hundreds, so that a busy job among them is soon visited; no step counts the table.
        """
        rows = Execution._base_manager.using(self._using).filter(job_id__gt=self._judged)
        by_job = rows.order_by("job_id", "id").values_list("job_id", flat=True)
        page = list(by_job[:PAGE])
        cut_off = page[-1] if len(page) == PAGE else None
        for job_id, count in Counter(page).items():
            if count <= conf().KEEP_PER_JOB and job_id != cut_off:
                self._judged = job_id
                continue
            deleted = self._beyond_keep_of(job_id)
            if deleted < BATCH:  # else the next step goes on with this job
                self._judged = job_id
            return deleted
        self._judged = ""
        return 0

    def _beyond_keep_of(self, job_id: str) -> int:
        keep = conf().KEEP_PER_JOB
        rows = Execution._base_manager.using(self._using).filter(job_id=job_id)
        newest_first = rows.order_by("-id").values_list("id", flat=True)
        beyond = newest_first[keep : keep + 1].first()
        if beyond is None:
            return 0
        return self._delete(rows.filter(id__lte=beyond, status__in=FINAL).order_by("id"))

    def _delete(self, rows: QuerySet[Execution]) -> int:
        """A batch of them. Only the leader writes tallies, hence the fence."""
        ids = list(rows.values_list("id", flat=True)[:BATCH])
        if not ids:
            return 0
        with transaction.atomic(using=self._using):
            self._lease.hold()
            tallies.count_before_deletion(ids, self._using)
            return _delete(ids, self._using)


def delete_older_than(max_age: timedelta, using: str) -> int:
    """Delete every finished execution that ended longer ago, batch by batch.

    Anybody may ask for it, so it counts nothing: of a run that ended that long ago, a tally tells,
    unless an older one is still open.

    Returns:
        How many rows were deleted.
    """
    before, total = db_now(using) - max_age, 0
    rows = _ended_before(before, using).values_list("id", flat=True)
    while deleted := _delete(list(rows[:BATCH]), using):
        total += deleted
    return total


def _ended_before(before: datetime, using: str) -> QuerySet[Execution]:
    rows = Execution._base_manager.using(using).filter(status__in=FINAL, finished_at__lt=before)
    return rows.order_by("finished_at")


def _forget_removed_jobs(before: datetime, using: str) -> int:
    """Recorded changes of jobs that are gone, as old as history may be. A living job keeps its
    changes: the audit needs the one that its schedule began with, however old."""
    living = Job._base_manager.using(using).filter(uid=OuterRef("job_uid"))
    rows = Change._base_manager.using(using).filter(~Exists(living), at__lt=before)
    ids = list(rows.order_by("at").values_list("id", flat=True)[:BATCH])
    return Change._base_manager.using(using).filter(id__in=ids).delete()[0]


def _delete(ids: list[int], using: str) -> int:
    rows = Execution._base_manager.using(using).filter(id__in=ids)
    return int(rows._raw_delete(using)) if ids else 0
