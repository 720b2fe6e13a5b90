"""Outcomes counted over time, each count bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import QuerySet

from ..models import Execution
from ..models.execution import FINAL, Status
from . import bounded
from .execution_query import SPANS
from .outcomes import NOT_RUN, PROBLEMS

CAP = 5_000
HOURS = 24
HOUR = timedelta(hours=1)
# How late an end may be written: after an outage the scheduler catches up with its results.
LATEST = timedelta(minutes=15)
GROUPS: dict[str, tuple[str, ...]] = {
    "succeeded": (Status.SUCCEEDED,),
    "problems": PROBLEMS,
    "not_run": (*NOT_RUN, Status.CANCELLED),
}


@dataclass(frozen=True)
class Count:
    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.more else f"{self.number:,}"


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
    """For each final status the count of the last hour, day and week."""
    edges = [now, *(now - span for span in SPANS.values())]
    stretches = list(pairwise(edges))
    keys = [(status, older, newer) for status in FINAL for newer, older in stretches]
    found = bounded.counts([_ended(using, (s,), older, newer) for s, older, newer in keys], CAP)
    table: dict[str, dict[str, Count]] = {}
    for n, status in enumerate(FINAL):
        row, total, more = {}, 0, False
        for span, number in zip(SPANS, found[n * len(stretches) :], strict=False):
            total, more = total + number, more or number == CAP
            row[span] = Count(total, more)
        table[status] = row
    return table


def by_hour(using: str, now: datetime) -> list[Hour]:
    """The last 24 hours, cut at full hours; the last one is still under way.

    Hours long over are counted once in this process: they change no more.
    """
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - back * HOUR for back in range(HOURS - 1, -1, -1)]
    missing = [start for start in starts if (using, start) not in _complete]
    fresh = {hour.start: hour for hour in _counted(using, missing)}
    for old in [key for key in _complete if key[1] < starts[0]]:
        _complete.pop(old, None)
    for start, hour in fresh.items():
        if hour.end + LATEST < now:
            _complete[using, start] = hour
    return [fresh.get(start) or _complete[using, start] for start in starts]


def _counted(using: str, starts: list[datetime]) -> list[Hour]:
    keys = [(start, name) for start in starts for name in GROUPS]
    found = bounded.counts([_ended(using, GROUPS[name], at, at + HOUR) for at, name in keys], CAP)
    hours = [Hour(start, {}) for start in starts]
    for n, (number, (_, name)) in enumerate(zip(found, keys, strict=True)):
        hours[n // len(GROUPS)].counts[name] = Count(number, number == CAP)
    return hours


def _ended(using: str, status: tuple[str, ...], since: datetime, until: datetime) -> QuerySet:
    ended = Execution.objects.using(using).filter(finished_at__gte=since, finished_at__lt=until)
    return ended.filter(status=status[0]) if len(status) == 1 else ended.filter(status__in=status)
