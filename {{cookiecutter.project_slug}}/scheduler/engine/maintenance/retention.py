"""Prune the history by age and by count, in batches so small that the loop hardly waits."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from ...conf import conf
from ...db.clock import monotonic
from ...models import Change, Execution, Job
from ...models.execution import FINAL, TASK_PREFIX
from ...tasks.keeping import RESULTS_KEPT, kept_for
from ..leadership.lease import LeaseHolder
from . import tallies

MAX_ROWS_PER_STEP = 500
MAX_JOBS_PER_STEP = 500
AGE_INTERVAL = 60.0


class Retention:
    """Deletes old history, a small step at a time; the leader calls it after its chores."""

    def __init__(self, lease: LeaseHolder) -> None:
        self._lease = lease
        self._using = lease.using
        self._by_age_at = 0.0
        self._judged = ""
        """Up to this job, in the order of the index."""

    def step(self, now: datetime) -> int:
        """Delete at most one batch by age and one of a single job by count.

        Args:
            now: the cluster's time.

        Returns:
            How many rows were deleted.

        Raises:
            LeaseLost: another process leads; the last batch deleted nothing.
        """
        deleted = self._beyond_keep(now)
        if monotonic() >= self._by_age_at:
            self._by_age_at = (
                monotonic() + AGE_INTERVAL
            )  # first: what fails is not repeated at once
            before = now - timedelta(days=conf().KEEP_DAYS)
            old = self._delete(Execution.objects.using(self._using).ended_before(before), now)
            changes = _forget_removed_jobs(before, self._using)
            if MAX_ROWS_PER_STEP in (old, changes):  # there may be more
                self._by_age_at = 0.0
            deleted += old
        return deleted

    def _beyond_keep(self, now: datetime) -> int:
        """Go through a page of the index, or less where a job on it has too many rows.

        One-off jobs fill a page by hundreds, so that a busy job among them is soon visited; no step
        counts the table.
        """
        rows = Execution._base_manager.using(self._using).filter(job_id__gt=self._judged)
        by_job = rows.order_by("job_id", "id").values_list("job_id", flat=True)
        page = list(by_job[:MAX_JOBS_PER_STEP])
        cut_off = page[-1] if len(page) == MAX_JOBS_PER_STEP else None
        for job_id, count in Counter(page).items():
            if job_id.startswith(TASK_PREFIX) and (old := self._old_results(job_id, now)):
                return old  # the next step goes on with this task
            if count <= conf().KEEP_PER_JOB and job_id != cut_off:
                self._judged = job_id
                continue
            deleted = self._beyond_keep_of(job_id, now)
            if deleted < MAX_ROWS_PER_STEP:  # else the next step goes on with this job
                self._judged = job_id
            return deleted
        self._judged = ""
        return 0

    def _old_results(self, job_id: str, now: datetime) -> int:
        """Delete runs of a task that its backend keeps for a shorter time, a batch at most."""
        rows = Execution.objects.using(self._using).filter(job_id=job_id)
        deleted = 0
        for backend, age in kept_for().items():
            # The oldest rows by id, which is nearly the order in which they end: no scan.
            oldest = rows.filter(task_backend=backend).order_by("id").values_list("id", flat=True)
            old = rows.filter(id__in=list(oldest[:MAX_ROWS_PER_STEP])).ended_before(now - age)
            deleted += self._delete(old, now)
        return deleted

    def _beyond_keep_of(self, job_id: str, now: datetime) -> int:
        keep = conf().KEEP_PER_JOB
        rows = Execution._base_manager.using(self._using).filter(job_id=job_id)
        newest_first = rows.order_by("-id").values_list("id", flat=True)
        beyond = newest_first[keep : keep + 1].first()
        if beyond is None:
            return 0
        ended = rows.filter(id__lte=beyond, status__in=FINAL)
        if job_id.startswith(TASK_PREFIX):
            ended = ended.filter(finished_at__lt=now - RESULTS_KEPT)
        return self._delete(ended.order_by("id"), now)

    def _delete(self, rows: QuerySet[Execution], now: datetime) -> int:
        """Delete one batch of the rows. Only the leader writes tallies, hence the fence."""
        ids = list(rows.values_list("id", flat=True)[:MAX_ROWS_PER_STEP])
        if not ids:
            return 0
        with transaction.atomic(using=self._using):
            self._lease.hold()
            tallies.count_before_deletion(ids, now, self._using)
            return Execution.objects.using(self._using).filter(id__in=ids).delete_in_batches()


def _forget_removed_jobs(before: datetime, using: str) -> int:
    """Delete recorded changes of removed jobs that are as old as history may be.

    A living job keeps its changes: the audit needs the one that its schedule began with, however
    old.
    """
    living = Job._base_manager.using(using).filter(uid=OuterRef("job_uid"))
    rows = Change._base_manager.using(using).filter(~Exists(living), at__lt=before)
    ids = list(rows.order_by("at").values_list("id", flat=True)[:MAX_ROWS_PER_STEP])
    return Change._base_manager.using(using).filter(id__in=ids).delete()[0]
