"""Counting finished runs once, so that whoever asks later counts only the newest rows.

The leader moves a mark through the executions. Below it every row is final and stands in a tally;
above it lie few rows. Retention deletes far below it; what somebody deletes above it is uncounted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

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


Sums = dict[tuple[str, str], Sum]
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
        using = self._lease.using
        with transaction.atomic(using=using):
            self._lease.hold()
            mark, _ = TallyMark.objects.using(using).get_or_create(pk=1)
            until = _settled_until(mark.counted_up_to, now, using)
            rows = list(_above(mark.counted_up_to, using).filter(id__lte=until))
            _add(_sums(rows, recurring_jobs(using)), using)
            if until > mark.counted_up_to:
                TallyMark.objects.using(using).filter(pk=1).update(counted_up_to=until)
        self._due = monotonic() + (0.0 if len(rows) >= MOST else EVERY)
        return len(rows)


def totals(using: str) -> Sums:
    """Every run that ever ended, deleted ones included."""
    known = recurring_jobs(using)
    while True:
        mark = counted_up_to(using)
        ended = _above(mark, using).filter(status__in=FINAL)
        sums = _sums(ended.iterator(), known)  # many rows, where history was just imported
        tallies = list(Tally.objects.using(using))
        if counted_up_to(using) == mark:  # else the leader moved it between our statements
            break
    for tally in tallies:
        sums.setdefault((tally.job_id, tally.status), Sum()).add(
            tally.runs, tally.run_seconds, tally.lag_seconds
        )
    return sums


def counted_up_to(using: str) -> int:
    marks = TallyMark.objects.using(using).values_list("counted_up_to", flat=True)
    return marks.filter(pk=1).first() or 0


def recurring_jobs(using: str) -> set[str]:
    """Jobs that go on: only they have a series of their own."""
    jobs = Job.objects.using(using).exclude(trigger__contains='"type":"date"')
    return set(jobs.values_list("id", flat=True))


def _settled_until(mark: int, now: datetime, using: str) -> int:
    """The last id up to which everything has ended, some time ago, at most ``MOST`` further."""
    ids = Execution._base_manager.using(using).filter(id__gt=mark).order_by("id")
    young = ids.filter(queued_at__gt=now - SETTLED_AFTER).values_list("id", flat=True).first()
    unended = ids.filter(status__in=OPEN).values_list("id", flat=True).first()
    last = ids.values_list("id", flat=True)[:MOST]
    newest = max(last, default=mark)
    return min([newest, *(id - 1 for id in (young, unended) if id is not None)])


def _above(mark: int, using: str) -> QuerySet[Execution, Any]:
    rows = Execution._base_manager.using(using).filter(id__gt=mark)
    return rows.values_list("job_id", "status", "slots", "due_at", "started_at", "finished_at")


def _sums(rows: Iterable[Any], known: set[str]) -> Sums:
    sums: Sums = defaultdict(Sum)
    for job_id, status, slots, due, started, finished in rows:
        key = job_id if job_id in known else ONE_OFF
        ran = (finished - started).total_seconds() if started and finished else 0.0
        sums[key, status].add(slots, ran, (started - due).total_seconds() if started else 0.0)
    return sums


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
