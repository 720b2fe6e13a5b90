"""A few jobs, each on a line of its own in the timeline: its last runs and its next ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ... import triggers
from ...models import Execution, Job
from .. import capped
from ..capped import Glance
from ..display.schedules import trigger_of
from . import forecast

MAX_LANES = 12
MAX_PAST_RUNS, MAX_FUTURE_RUNS = 150, 100
# Denser than this a job is drawn by the hour.
MAX_RUNS_AN_HOUR = 4


@dataclass(frozen=True)
class Stretch:
    """A run, or runs side by side; ``kind`` names the colour."""

    start: datetime
    end: datetime
    kind: str


@dataclass(frozen=True)
class Lane:
    job: Job
    stretches: list[Stretch]


def read(
    using: str, job_ids: Sequence[str], start: datetime, now: datetime, end: datetime
) -> list[Lane]:
    """Read lanes for the first of ``job_ids``; what is too dense to draw by run is one stretch."""
    jobs = list(Job.objects.using(using).filter(pk__in=job_ids[:MAX_LANES]))
    runs: dict[str, list[Glance]] = {job.pk: [] for job in jobs}
    recent = Execution.objects.using(using).order_by("-id")
    for run in capped.glances([recent.filter(job_id=job.pk)[:MAX_PAST_RUNS] for job in jobs]):
        runs[run.job_id].append(run)
    lanes = []
    for job in sorted(jobs, key=lambda job: str(job).casefold()):
        past = _past(runs[job.pk], start, now)
        lanes.append(Lane(job, [*past, *_future(job, now, end)]))
    return lanes


def _past(runs: list[Glance], start: datetime, now: datetime) -> list[Stretch]:
    stretches = []
    for run in sorted(runs, key=lambda run: run.pk):
        began = run.started_at or run.finished_at or run.due_at
        ended = run.finished_at or now
        if ended >= start:
            stretches.append(Stretch(max(began, start), ended, run.status))
    if len(runs) == MAX_PAST_RUNS and stretches and stretches[0].start > start:
        stretches.insert(0, Stretch(start, stretches[0].start, "more"))
    return stretches


def _future(job: Job, now: datetime, end: datetime) -> list[Stretch]:
    trigger = trigger_of(job)
    if trigger is None or job.next_due is None:
        return []
    hours = forecast.known(job.pk, job.trigger, now)
    if any(number > MAX_RUNS_AN_HOUR for _, number in hours):
        return [
            Stretch(max(hour, now), hour + forecast.HOUR, "planned")
            for hour, number in hours
            if number and hour < end
        ]
    runs = _ticks(job.trigger, job.next_due)
    stretches = [Stretch(at, at, "planned") for at in runs if now <= at <= end]
    if len(runs) > MAX_FUTURE_RUNS and runs[-1] < end:
        stretches.append(Stretch(runs[-1], end, "more"))
    return stretches


@lru_cache(maxsize=256)
def _ticks(trigger: str, first: datetime) -> list[datetime]:
    later = triggers.next_runs(triggers.loads(trigger), MAX_FUTURE_RUNS, first)
    return [first, *(at for at in later if at > first)]
