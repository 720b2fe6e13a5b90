"""A job's trigger: in words, raw, and the runs that it will bring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.triggers.base import BaseTrigger
from django.utils.translation import gettext as _

from ... import formatting, triggers
from ...models import Job

PREVIEW_RUNS = 10
CLOCK_STEP = timedelta(seconds=1)
WEEK, LOOKS_BACK = timedelta(days=7), timedelta(days=366)


@dataclass(frozen=True)
class ClockChange:
    """A daylight-saving change: the wall clock of ``zone`` goes from ``before`` to ``after``."""

    at: datetime
    before: datetime
    after: datetime

    @property
    def forward(self) -> bool:
        """Return whether the clock is put forward."""
        return self.shift > timedelta()

    @property
    def shift(self) -> timedelta:
        return (self.after.utcoffset() or timedelta()) - (self.before.utcoffset() or timedelta())


@dataclass(frozen=True)
class Run:
    """A coming run, and the change of the clock that lies between it and the one before."""

    at: datetime
    change: ClockChange | None = None

    @property
    def offset(self) -> str:
        return f"{self.at:%z}"


def trigger_of(job: Job) -> BaseTrigger | None:
    """Return the job's trigger; None for a text that makes no trigger."""
    try:
        return triggers.loads(job.trigger)
    except triggers.TriggerError:
        return None


def words(job: Job) -> str:
    """Describe the job's trigger in words, with its zone."""
    trigger = trigger_of(job)
    return triggers.describe(trigger) if trigger else _("cannot be read")


def short(job: Job) -> str:
    """Return the stored trigger on one line, as ``cron hour=3 minute=30``, without its zone."""
    try:
        stored = json.loads(job.trigger)
        kind = stored.pop("type")
    except (ValueError, KeyError, AttributeError, TypeError):
        return job.trigger
    stored.pop("timezone", None)
    if "triggers" in stored:
        return job.trigger
    return " ".join([kind, *(f"{name}={value}" for name, value in stored.items())])


def coming(
    trigger: BaseTrigger, now: datetime, first: datetime | None = None, number: int = PREVIEW_RUNS
) -> list[Run]:
    """Return the next runs in the trigger's own zone, daylight-saving changes marked.

    Args:
        first: the next run where it is known already; the trigger goes on from there.
    """
    zone = triggers.zone_of(trigger)
    following = triggers.next_runs(trigger, number, first or now)
    if first:
        following = [first, *(at for at in following if at > first)]
    runs: list[Run] = []
    previous = formatting.local(now, zone)
    for at in following[:number]:
        local = formatting.local(at, zone)
        runs.append(Run(local, clock_change(previous, local, zone)))
        previous = local
    return runs


def clock_change(since: datetime, until: datetime, zone: tzinfo) -> ClockChange | None:
    """Return the first change of the wall clock of ``zone`` between two moments.

    Looks once a week, so a zone that changes twice within one is seen as it ends up; and only at
    the last year before ``until``, as centuries may lie between the two.
    """
    low, end = since.astimezone(UTC), until.astimezone(UTC)
    if end - low > LOOKS_BACK:
        low = end - LOOKS_BACK
    while low < end:
        high = low + WEEK if end - low > WEEK else end
        if _offset(low, zone) != _offset(high, zone):
            return _narrowed(low, high, zone)
        low = high
    return None


def _narrowed(low: datetime, high: datetime, zone: tzinfo) -> ClockChange:
    before = _offset(low, zone)
    while high - low > CLOCK_STEP:
        middle = low + (high - low) / 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    at = high.replace(microsecond=0)
    return ClockChange(at, (at - CLOCK_STEP).astimezone(zone), at.astimezone(zone))


def _offset(at: datetime, zone: tzinfo) -> timedelta | None:
    return formatting.local(at, zone).utcoffset()
