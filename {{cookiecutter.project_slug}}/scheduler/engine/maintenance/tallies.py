"""Count finished runs once, so that whoever asks later counts only the newest rows.

The leader moves a mark through the executions. Below it every row stands in a tally, or is noted
as open and counted when it has ended; above it lie few rows. What retention deletes uncounted is
counted then and there; what somebody else deletes uncounted stays so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.models import F, QuerySet

from ...db.bulk import update_each
from ...db.clock import monotonic
from ...models import Execution, Job
from ...models.execution import FINAL, OPEN, TASK_PREFIX
from ...models.tally import Tally, TallyMark, TallyOpen
from ..leadership.lease import LeaseHolder
from . import trends
from .trends import Ended

COUNT_INTERVAL = 15.0
STEP_SECONDS = 0.1
"""After which a step takes no further rows: meanwhile nothing starts."""
MAX_ROWS = 500
"""Rows that are read in one transaction."""
MAX_OPEN_ROWS = 1_000
"""Open rows that the mark passes; it stops below the next one."""
FORGET_INTERVAL = 60.0
MICROSECONDS = 6
"""Digits that sums are rounded to: counted in another order they must not come out smaller."""
SETTLED_AFTER = timedelta(seconds=60)
"""A row that a web request's transaction inserts appears only when that transaction commits."""
COLUMNS = ("runs", "run_seconds", "lag_seconds")
ONE_OFF = ""
MAX_KEYS = 500
"""Rows that one statement names."""


@dataclass
class Sum:
    """The runs of one job and outcome, and how long they ran and were late, in seconds."""

    runs: int = 0
    run_seconds: float = 0.0
    lag_seconds: float = 0.0

    def add(self, runs: int, run_seconds: float, lag_seconds: float) -> None:
        """Add up the slots of some rows, with the seconds that they ran and were late."""
        self.runs += runs
        self.run_seconds += run_seconds
        self.lag_seconds += lag_seconds


Key = tuple[str, str]
Sums = dict[Key, Sum]
"""By job id and outcome. One-off jobs share one id, since each of their ids is used once; tasks
have theirs, of which the code names as many as it has tasks."""


class Tallies:
    """Counts rows as they settle, for the leader, with its chores."""

    def __init__(self, lease: LeaseHolder) -> None:
        self._lease = lease
        self._due = self._forget_at = 0.0

    def step(self, now: datetime) -> int:
        """Move the mark, at most every ``COUNT_INTERVAL``.

        Args:
            now: the cluster's time.

        Returns:
            How many rows were counted.

        Raises:
            LeaseLost: another process leads; nothing more was counted.
        """
        if monotonic() < self._due:
            return 0
        self._due = monotonic() + COUNT_INTERVAL  # first: what fails is not repeated at once
        using, until = self._lease.using, monotonic() + STEP_SECONDS
        counted, more = 0, True
        while more:
            with transaction.atomic(using=using):
                self._lease.hold()
                number, more = count_settled(now, using)
                counted += number
                if monotonic() >= self._forget_at:
                    self._forget_at = monotonic() + FORGET_INTERVAL
                    trends.forget_old(now, using)
            if more and monotonic() >= until:
                self._due = 0.0
                break
        return counted


def count_settled(now: datetime, using: str) -> tuple[int, bool]:
    """Count what has ended for good, ``MAX_ROWS`` at most, in a transaction that holds the lease.

    Returns:
        How many rows were counted, and whether there may be more to count at once.
    """
    mark, _ = TallyMark.objects.using(using).get_or_create(pk=1)
    noted, ended, still_open = _read_noted(using)
    reach = _reach(mark.counted_up_to, now, max(MAX_OPEN_ROWS - still_open, 0), using)
    rows = _above(mark.counted_up_to, using).filter(id__lte=reach.until, status__in=FINAL)
    passed = set(reach.open)  # open a moment ago: counted later, whatever they are by now
    runs = [*ended, *(run for pk, run in _read(rows, using) if pk not in passed)]
    _count(runs, now, using)
    _forget_noted(noted, using)
    TallyOpen.objects.using(using).bulk_create(TallyOpen(execution_id=pk) for pk in reach.open)
    marks = TallyMark.objects.using(using).filter(pk=1)
    marks.update(counted_up_to=reach.until, complete_at=now if reach.all else mark.complete_at)
    return len(runs), reach.more


def totals(using: str) -> Sums:
    """Return the sums of every run that ever ended, deleted ones included."""
    known = recurring_jobs(using)
    after = _tallies(using)
    while True:
        before = after
        noted = TallyOpen.objects.using(using).values("execution_id")
        sums = _sums(_above(counted_up_to(using), using).filter(status__in=FINAL), known)
        ended = _sums(_rows(using).filter(id__in=noted, status__in=FINAL), known)
        after = _tallies(using)
        if after == before:  # else the leader counted rows between our statements
            break
    for key, total in ended.items():
        sums[key].add(total.runs, total.run_seconds, total.lag_seconds)
    for job_id, status, *columns in after:
        sums[job_id, status].add(*columns)
    for total in sums.values():
        total.run_seconds = round(total.run_seconds, MICROSECONDS)
        total.lag_seconds = round(total.lag_seconds, MICROSECONDS)
    return sums


def count_before_deletion(ids: list[int], now: datetime, using: str) -> None:
    """Count those of the final rows that are not counted yet.

    They must be deleted in the same transaction, which holds the lease.
    """
    mark = counted_up_to(using)
    noted = TallyOpen.objects.using(using).filter(execution_id__in=ids)
    open_ids = list(noted.values_list("execution_id", flat=True))
    rows = _read(_rows(using).filter(id__in=ids), using)
    _count([run for pk, run in rows if pk > mark or pk in open_ids], now, using)
    _forget_noted(open_ids, using)


def counted_up_to(using: str) -> int:
    """Return the mark: the highest execution id that is counted, or 0."""
    marks = TallyMark.objects.using(using).values_list("counted_up_to", flat=True)
    return marks.filter(pk=1).first() or 0


def recurring_jobs(using: str) -> set[str]:
    """Return the ids of jobs that go on: only they have a series of their own."""
    return set(_recurring(using))


def _recurring(using: str) -> QuerySet[Job, str]:
    jobs = Job.objects.using(using).exclude(trigger__contains='"type":"date"')
    return jobs.order_by().values_list("id", flat=True)


def _recurring_among(job_ids: set[str], using: str) -> set[str]:
    """Return those that go on, by key: there may be a million others."""
    ids, found = sorted(job_ids), set[str]()
    for first in range(0, len(ids), MAX_KEYS):
        found.update(_recurring(using).filter(pk__in=ids[first : first + MAX_KEYS]))
    return found


class Reach(NamedTuple):
    """How far one step moves the mark."""

    until: int
    open: list[int]
    """Rows on the way that have not ended."""
    all: bool
    """Whether it comes to where the young rows begin."""
    more: bool


def _reach(mark: int, now: datetime, room: int, using: str) -> Reach:
    """Look ahead, at most ``MAX_ROWS`` rows and at most ``room`` open ones."""
    above = _above(mark, using).order_by("id")
    ids = list(above.values_list("id", flat=True)[:MAX_ROWS])
    newest = max(ids, default=mark)
    near = above.filter(id__lte=newest)
    young = near.filter(queued_at__gt=now - SETTLED_AFTER).values_list("id", flat=True).first()
    until = newest if young is None else young - 1
    unended = near.filter(id__lte=until, status__in=OPEN).values_list("id", flat=True)
    opened = list(unended[: room + 1])
    if len(opened) > room:
        return Reach(opened[room] - 1, opened[:room], all=False, more=False)
    everything = young is not None or len(ids) < MAX_ROWS
    return Reach(until, opened, all=everything, more=not everything)


def _read_noted(using: str) -> tuple[list[int], list[Ended], int]:
    """Look at the rows noted as open.

    Returns:
        The ids of those to note no more, as they ended or are gone; those that ended; and how many
        are open.
    """
    before = set(TallyOpen.objects.using(using).values_list("execution_id", flat=True))
    # Their numbers, not a subquery: of a table that it knows nothing about, PostgreSQL expects so
    # many rows that it reads all executions instead.
    rows = _rows(using).filter(id__in=before)
    still_open = set(rows.filter(status__in=OPEN).values_list("id", flat=True))
    # Read after what is open: what ends in between is read by the next step.
    ended = _read(rows.filter(status__in=FINAL), using)
    runs = [run for pk, run in ended if pk not in still_open]
    return sorted(before - still_open), runs, len(still_open)


def _forget_noted(ids: list[int], using: str) -> None:
    for first in range(0, len(ids), MAX_KEYS):
        batch = ids[first : first + MAX_KEYS]
        TallyOpen.objects.using(using).filter(execution_id__in=batch).delete()


def _rows(using: str) -> QuerySet[Execution]:
    return Execution._base_manager.using(using).order_by()


def _above(mark: int, using: str) -> QuerySet[Execution]:
    return _rows(using).filter(id__gt=mark)


def _read(rows: QuerySet[Execution], using: str) -> list[tuple[int, Ended]]:
    """Return the rows, some hundreds, with their ids, under the keys that they count under."""
    read = list(rows.values_list("id", *Ended._fields))
    known = _recurring_among({job_id for _, job_id, *_ in read}, using)
    return [(pk, Ended(_key(job_id, known), *columns)) for pk, job_id, *columns in read]


def _key(job_id: str, known: set[str]) -> str:
    return job_id if job_id in known or job_id.startswith(TASK_PREFIX) else ONE_OFF


def _count(runs: list[Ended], now: datetime, using: str) -> None:
    sums = defaultdict[Key, Sum](Sum)
    for run in runs:
        total = sums[run.job_id, run.status]
        total.add(run.slots, run.run_seconds or 0.0, run.lag_seconds or 0.0)
    _add(sums, using)
    trends.add(runs, now, using)


def _sums(rows: QuerySet[Execution], known: set[str]) -> defaultdict[Key, Sum]:
    """Let the database add up the rows, which are many where history was just imported."""
    groups = rows.values_list("job_id", "status").annotate(
        runs=models.Sum("slots"),
        ran=models.Sum(F("finished_at") - F("started_at")),
        late=models.Sum(F("started_at") - F("due_at")),
    )
    sums = defaultdict[Key, Sum](Sum)
    for job_id, status, runs, ran, late in groups:
        sums[_key(job_id, known), status].add(runs, _seconds(ran), _seconds(late))
    return sums


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration else 0.0


def _tallies(using: str) -> list[tuple[Any, ...]]:
    rows = Tally.objects.using(using).order_by("id")
    return list(rows.values_list("job_id", "status", *COLUMNS))


def _add(sums: Sums, using: str) -> None:
    """Add the sums to the tallies. Only the leader writes them, so that reading first is safe."""
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
