"""History is pruned by age and by count, in batches so small that the loop hardly waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from ..conf import conf
from ..models import Change, Execution, Job
from ..models.execution import FINAL
from .clock import db_now, monotonic

BATCH = 500
EVERY = 60.0


class Retention:
    """One small step at a time, called by the leader after its chores."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._by_age_at = 0.0
        self._job_id = ""

    def step(self, now: datetime) -> int:
        """Delete at most one batch by age and one of a single job by count.

        Returns:
            How many rows were deleted.
        """
        deleted = self._next_job()
        if monotonic() >= self._by_age_at:
            before = now - timedelta(days=conf().KEEP_DAYS)
            old = _delete_batch(before, self._using)
            _forget_removed_jobs(before, self._using)
            self._by_age_at = 0.0 if old == BATCH else monotonic() + EVERY
            deleted += old
        return deleted

    def _next_job(self) -> int:
        """The job after the last one, in the order of the index: no step counts the table."""
        rows = Execution._base_manager.using(self._using)
        job_ids = rows.filter(job_id__gt=self._job_id).order_by("job_id", "id")
        self._job_id = job_ids.values_list("job_id", flat=True).first() or ""
        newest_first = rows.filter(job_id=self._job_id).order_by("-id")
        keep = conf().KEEP_PER_JOB
        beyond = newest_first.values_list("id", flat=True)[keep : keep + 1].first()
        if beyond is None:
            return 0
        excess = rows.filter(job_id=self._job_id, id__lte=beyond, status__in=FINAL)
        return _delete(
            list(excess.order_by("id").values_list("id", flat=True)[:BATCH]), self._using
        )


def delete_older_than(max_age: timedelta, using: str) -> int:
    """Delete every finished execution that ended longer ago, batch by batch.

    Returns:
        How many rows were deleted.
    """
    before, total = db_now(using) - max_age, 0
    while deleted := _delete_batch(before, using):
        total += deleted
    return total


def _delete_batch(before: datetime, using: str) -> int:
    rows = Execution._base_manager.using(using).filter(status__in=FINAL, finished_at__lt=before)
    return _delete(list(rows.order_by("finished_at").values_list("id", flat=True)[:BATCH]), using)


def _forget_removed_jobs(before: datetime, using: str) -> None:
    """Recorded changes of jobs that are gone, as old as history may be. A living job keeps its
    changes: the audit needs the one that its schedule began with, however old."""
    living = Job._base_manager.using(using).filter(uid=OuterRef("job_uid"))
    rows = Change._base_manager.using(using).filter(~Exists(living), at__lt=before)
    ids = list(rows.order_by("id").values_list("id", flat=True)[:BATCH])
    Change._base_manager.using(using).filter(id__in=ids).delete()


def _delete(ids: list[int], using: str) -> int:
    rows = Execution._base_manager.using(using).filter(id__in=ids)
    return int(rows._raw_delete(using)) if ids else 0
