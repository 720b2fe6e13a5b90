"""Outcomes counted over time, each count capped; and how late the last runs started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import QuerySet

from ...models import Execution
from ...models.execution import FINAL, PROBLEMS, Status
from .. import capped
from ..capped import Count
from ..display.outcomes import PASSED_OVER
from ..executions.query import SPANS

HOURS = 24
LAST_RUNS = 500
HOUR = timedelta(hours=1)
# How late an end may be written: after an outage the scheduler writes its results belatedly.
WRITTEN_WITHIN = timedelta(minutes=15)
GROUPS: dict[str, tuple[str, ...]] = {
    "succeeded": (Status.SUCCEEDED,),
    "problems": PROBLEMS,
    "not_run": PASSED_OVER,
}


@dataclass(frozen=True)
class Hour:
    """What ended within one hour, by group of outcomes."""

    start: datetime
    counts: dict[str, Count]

    @property
    def end(self) -> datetime:
        return self.start + HOUR

    @property
    def total(self) -> int:
        return sum(count.number for count in self.counts.values())


_complete: dict[tuple[str, datetime], Hour] = {}


def by_outcome(using: str, now: datetime) -> dict[str, dict[str, Count]]:
    """Return the runs of the last hour, day and week by final status, and of all problems."""
    edges = [now, *(now - span for span in SPANS.values())]
    stretches = list(pairwise(edges))
    keys = [(status, older, newer) for status in FINAL for newer, older in stretches]
    found = capped.counts(
        [_ended(using, (s,), older, newer) for s, older, newer in keys], capped.MAX_COUNTED
    )
    table: dict[str, dict[str, Count]] = {}
    for n, status in enumerate(FINAL):
        row, total, more = {}, 0, False
        for span, number in zip(SPANS, found[n * len(stretches) :], strict=False):
            total += number
            more = more or total >= capped.MAX_COUNTED  # a sum of caps would look exact
            row[span] = Count(total, more)
        table[status] = row
    return {"problems": _sum_of([table[status] for status in PROBLEMS]), **table}


def _sum_of(rows: list[dict[str, Count]]) -> dict[str, Count]:
    sums = {}
    for span in SPANS:
        total = sum(row[span].number for row in rows)
        more = total >= capped.MAX_COUNTED or any(row[span].more for row in rows)
        sums[span] = Count(total, more)
    return sums


def by_hour(using: str, now: datetime) -> list[Hour]:
    """Count the outcomes of the last 24 hours by full hour; the last one is still under way.

    Hours long over are counted once in this process: they change no more.
    """
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - back * HOUR for back in range(HOURS - 1, -1, -1)]
    missing = [start for start in starts if (using, start) not in _complete]
    fresh = {hour.start: hour for hour in _counted(using, missing)}
    for old in [key for key in _complete if key[1] < starts[0]]:
        _complete.pop(old, None)
    for start, hour in fresh.items():
        if hour.end + WRITTEN_WITHIN < now:
            _complete[using, start] = hour
    return [fresh.get(start) or _complete[using, start] for start in starts]


def _counted(using: str, starts: list[datetime]) -> list[Hour]:
    keys = [(start, name) for start in starts for name in GROUPS]
    found = capped.counts(
        [_ended(using, GROUPS[name], at, at + HOUR) for at, name in keys], capped.MAX_COUNTED
    )
    hours = [Hour(start, {}) for start in starts]
    for n, (number, (_, name)) in enumerate(zip(found, keys, strict=True)):
        hours[n // len(GROUPS)].counts[name] = Count(number, number == capped.MAX_COUNTED)
    return hours


def _ended(using: str, status: tuple[str, ...], since: datetime, until: datetime) -> QuerySet:
    ended = Execution.objects.using(using).filter(finished_at__gte=since, finished_at__lt=until)
    return ended.filter(status=status[0]) if len(status) == 1 else ended.filter(status__in=status)


@dataclass(frozen=True)
class Lag:
    """How late runs started, in seconds; of ``runs`` runs."""

    p50: float
    p99: float
    runs: int


def start_lag(using: str, last: int = LAST_RUNS) -> Lag | None:
    """Measure how late the last runs started, in seconds. None: nothing ran lately."""
    recent = Execution.objects.using(using).order_by("-id")[:last]
    lags = sorted(
        (run.started_at - run.due_at).total_seconds()
        for run in capped.glances([recent])
        if run.started_at
    )
    if not lags:
        return None
    return Lag(_percentile(lags, 0.50), _percentile(lags, 0.99), len(lags))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
