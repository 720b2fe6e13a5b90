"""Counting finished runs once, so that whoever asks later counts only the newest rows.

The leader moves a mark through the executions. Below it every row is final and stands in a tally;
above it lie few rows, unless one stays open for long. What retention deletes above it is counted
then and there; what somebody else deletes above it is uncounted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, QuerySet

from ..models import Execution, Job
from ..models.execution import FINAL, OPEN
from ..models.tally import Tally, TallyMark
from .batch import update_each
from .clock import monotonic
from .lease import Lease

EVERY = 15.0
MOST = 5_000
"""Rows that one step counts."""
SETTLED_AFTER = timedelta(seconds=60)
"""A row that a web request's transaction inserts appears only when that transaction commits."""
COLUMNS = ("runs", "run_seconds", "lag_seconds")
ONE_OFF = ""


@dataclass
class Sum:
    runs: int = 0
    run_seconds: float = 0.0
    lag_seconds: float = 0.0

    def add(self, runs: int, run_seconds: float, lag_seconds: float) -> None:
        self.runs += runs
        self.run_seconds += run_seconds
        self.lag_seconds += lag_seconds


Key = tuple[str, str]
Sums = dict[Key, Sum]
"""By job id and outcome. One-off jobs share one id, since each of their ids is used once."""


class Tallies:
    """The leader's part. Called with its chores."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._due = 0.0

    def step(self, now: datetime) -> int:
        """Move the mark.

        Returns:
            How many rows were counted.

        Raises:
            LeaseLost: nothing was counted.
        """
        if monotonic() < self._due:
            return 0
        self._due = monotonic() + EVERY  # first: what fails is not repeated at once
        using = self._lease.using
        with transaction.atomic(using=using):
            self._lease.hold()
            mark, _ = TallyMark.objects.using(using).get_or_create(pk=1)
            until = _settled_until(mark.counted_up_to, now, using)
            rows = _above(mark.counted_up_to, using).filter(id__lte=until)
            counted = _count(rows, using)
            if until > mark.counted_up_to:
                TallyMark.objects.using(using).filter(pk=1).update(counted_up_to=until)
        if counted >= MOST:  # there may be more
            self._due = 0.0
        return counted


def totals(using: str) -> Sums:
    """Every run that ever ended, deleted ones included."""
    known = recurring_jobs(using)
    after = _tallies(using)
    while True:
        before = after
        sums, _ = _sums(_above(counted_up_to(using), using).filter(status__in=FINAL), known)
        after = _tallies(using)
        if after == before:  # else the leader counted rows between our statements
            break
    for job_id, status, *columns in after:
        sums[job_id, status].add(*columns)
    return sums


def count_before_deletion(ids: list[int], using: str) -> None:
    """Count those of the final rows that the mark has not reached. They must be deleted in the
    same transaction, which holds the lease."""
    _count(_above(counted_up_to(using), using).filter(id__in=ids), using)


def counted_up_to(using: str) -> int:
    marks = TallyMark.objects.using(using).values_list("counted_up_to", flat=True)
    return marks.filter(pk=1).first() or 0


def recurring_jobs(using: str) -> set[str]:
    """Jobs that go on: only they have a series of their own."""
    jobs = Job.objects.using(using).exclude(trigger__contains='"type":"date"')
    return set(jobs.values_list("id", flat=True))


def _settled_until(mark: int, now: datetime, using: str) -> int:
    """The last id up to which everything has ended, some time ago, at most ``MOST`` further."""
    above = Execution._base_manager.using(using).filter(id__gt=mark).order_by("id")
    newest = max(above.values_list("id", flat=True)[:MOST], default=mark)
    # No further: where a run stays open for long, all the rows above it would be read each time.
    ids = above.filter(id__lte=newest)
    young = ids.filter(queued_at__gt=now - SETTLED_AFTER).values_list("id", flat=True).first()
    unended = ids.filter(status__in=OPEN).values_list("id", flat=True).first()
    return min([newest, *(id - 1 for id in (young, unended) if id is not None)])


def _above(mark: int, using: str) -> QuerySet[Execution]:
    return Execution._base_manager.using(using).filter(id__gt=mark)


def _count(rows: QuerySet[Execution], using: str) -> int:
    sums, counted = _sums(rows, recurring_jobs(using))
    _add(sums, using)
    return counted


def _sums(rows: QuerySet[Execution], known: set[str]) -> tuple[defaultdict[Key, Sum], int]:
    """Added up by the database: they are many where history was imported, or a run stays open.

    Returns:
        The sums, and how many rows they are of.
    """
    groups = (
        rows.order_by()
        .values_list("job_id", "status")
        .annotate(
            rows=models.Count("id"),
            runs=models.Sum("slots"),
            ran=models.Sum(F("finished_at") - F("started_at")),
            late=models.Sum(F("started_at") - F("due_at")),
        )
    )
    sums, counted = defaultdict[Key, Sum](Sum), 0
    for job_id, status, number, runs, ran, late in groups:
        key = job_id if job_id in known else ONE_OFF
        sums[key, status].add(runs, _seconds(ran), _seconds(late))
        counted += number
    return sums, counted


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration else 0.0


def _tallies(using: str) -> list[tuple[Any, ...]]:
    rows = Tally.objects.using(using).order_by("id")
    return list(rows.values_list("job_id", "status", *COLUMNS))


def _add(sums: Sums, using: str) -> None:
    """Only the leader writes tallies, so that reading first is safe."""
    tallies = Tally.objects.using(using)
    known = {(row.job_id, row.status): row for row in tallies.filter(job_id__in=_job_ids(sums))}
    changed: list[list[Any]] = []
    for key, total in sums.items():
        if (row := known.get(key)) is not None:
            changed.append([row.pk, *(getattr(row, c) + getattr(total, c) for c in COLUMNS)])
    new = [
        Tally(job_id=key[0], status=key[1], **{c: getattr(total, c) for c in COLUMNS})
        for key, total in sums.items()
        if key not in known
    ]
    update_each(using, Tally, COLUMNS, changed)
    tallies.bulk_create(new)


def _job_ids(sums: Iterable[tuple[str, str]]) -> set[str]:
    return {job_id for job_id, _ in sums}
