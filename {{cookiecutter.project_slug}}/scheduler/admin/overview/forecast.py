"""How many runs the next hours will bring: counted once an hour for each job, a few at a time.

A thousand crontab lines take a second to look ahead; a page has no second. So the counts are kept
in this process, each request adds to them for a bounded time, and the page says what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ... import triggers
from ...models import Job
from ...models.job import JobState

HOUR = timedelta(hours=1)
HOURS = 25  # the rest of this one, and the 24 after it
BUDGET_SECONDS = 0.03
MAX_CACHED = 20_000


@dataclass(frozen=True)
class Planned:
    """Runs by hour, the current one first; ``counted`` of ``jobs`` are in it."""

    runs: list[float]
    counted: int
    jobs: int


@dataclass(frozen=True)
class _Counts:
    trigger: str
    hour: datetime
    at: datetime
    runs: tuple[int, ...]


_cached: dict[str, _Counts] = {}


def by_hour(using: str, now: datetime, budget: float = BUDGET_SECONDS) -> Planned:
    """Count the coming runs of all active jobs, in ``budget`` seconds beside what is known."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    soon = Job.objects.using(using).filter(
        state=JobState.ACTIVE, next_run_time__lt=hour + HOURS * HOUR
    )
    total, counted, jobs = [0.0] * HOURS, 0, 0
    until = time.monotonic() + budget
    rest = (hour + HOUR - now) / HOUR
    rows: Any = soon.order_by("next_run_time").values_list("id", "trigger", "next_run_time")
    for job_id, text, first in rows[:MAX_CACHED]:
        jobs += 1
        counts = _cached.get(job_id)
        if counts is None or counts.trigger != text or counts.hour != hour:
            if time.monotonic() > until:
                continue
            counts = _count(job_id, text, first, hour, now)
        counted += 1
        then = (hour + HOUR - counts.at) / HOUR
        total[0] += counts.runs[0] * (rest / then if then else 0.0)
        for index in range(1, HOURS):
            total[index] += counts.runs[index]
    return Planned(total, counted, jobs)


def known(job_id: str, text: str, now: datetime) -> list[tuple[datetime, int]]:
    """Return the hours and their runs, where ``by_hour`` has counted them; else nothing."""
    counts = _cached.get(job_id)
    if counts is None or counts.trigger != text or counts.hour + HOUR <= now:
        return []
    return [(counts.hour + n * HOUR, runs) for n, runs in enumerate(counts.runs)]


def counted(trigger: BaseTrigger, first: datetime, hours: Sequence[datetime]) -> list[int]:
    """Count the runs in each hour from ``first`` on, taking each hour's pace from its first two."""
    numbers = [0] * len(hours)
    at: datetime | None = first
    for index, start in enumerate(hours):
        end = start + HOUR
        if at is None or at >= end:
            continue
        following = trigger.get_next_fire_time(at, at)
        if following is None or following <= at:
            numbers[index] = 1
            break
        gap = following.astimezone(UTC) - at.astimezone(UTC)
        number = -((at - end) // gap)  # rounded up
        numbers[index] = number
        at = _first_from(trigger, at, gap * number, end) if number > 1 else following
    return numbers


def _first_from(
    trigger: BaseTrigger, at: datetime, ahead: timedelta, end: datetime
) -> datetime | None:
    if isinstance(trigger, IntervalTrigger):
        return at + ahead
    just_before = end - timedelta(microseconds=1)
    return trigger.get_next_fire_time(just_before, just_before)


def _count(job_id: str, text: str, first: datetime, hour: datetime, now: datetime) -> _Counts:
    if len(_cached) >= MAX_CACHED:
        _cached.clear()
    hours = [hour + index * HOUR for index in range(HOURS)]
    try:
        runs = counted(triggers.loads(text), max(first, now), hours)
    except Exception:  # a trigger of a project's own may raise anything; the scheduler reports it
        runs = [0] * HOURS
    _cached[job_id] = _Counts(text, hour, now, tuple(runs))
    return _cached[job_id]
