"""History is pruned by age and by count, in batches so small that the loop hardly waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count

from ..conf import conf
from ..models import Execution
from ..models.execution import FINAL
from .clock import db_now, monotonic

BATCH = 500
EVERY = 60.0


class Retention:
    """One small step at a time, called by the leader; ``EVERY`` seconds when nothing is left."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._next_at = 0.0

    def step(self, now: datetime) -> int:
        """Delete at most one batch.

        Returns:
            How many rows were deleted.
        """
        if monotonic() < self._next_at:
            return 0
        deleted = _delete_batch(now - timedelta(days=conf().KEEP_DAYS), self._using)
        if deleted < BATCH:
            deleted += self._thin_out()
        if deleted < BATCH:
            self._next_at = monotonic() + EVERY
        return deleted

    def _thin_out(self) -> int:
        """Jobs with more history than ``KEEP_PER_JOB``: the oldest rows of one of them."""
        rows = Execution._base_manager.using(self._using).filter(status__in=FINAL)
        crowded = (
            rows.order_by()
            .values("job_id")
            .annotate(rows=Count("id"))
            .filter(rows__gt=conf().KEEP_PER_JOB)
            .values_list("job_id", "rows")
            .first()
        )
        if crowded is None:
            return 0
        job_id, count = crowded
        excess = min(count - conf().KEEP_PER_JOB, BATCH)
        oldest = rows.filter(job_id=job_id).order_by("id").values_list("id", flat=True)[:excess]
        return _delete(list(oldest), self._using)


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


def _delete(ids: list[int], using: str) -> int:
    rows = Execution._base_manager.using(using).filter(id__in=ids)
    return int(rows._raw_delete(using)) if ids else 0  # type: ignore[attr-defined]
