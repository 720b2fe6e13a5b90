"""When a trigger fires: looking ahead for people, and counting what was owed for the planner."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import NamedTuple

from apscheduler.triggers.base import BaseTrigger

from .combining import first_after
from .errors import TriggerError
from .interval import IntervalTrigger
from .moments import MICROSECOND, utc
from .stock import normalize


class Span(NamedTuple):
    """Fire times from a first one on, up to some now.

    ``last`` is the last one counted, ``count`` their number, the first included. ``complete`` is
    false if the limit ended the count: then fire times after ``last`` may still be owed.
    """

    last: datetime
    count: int  # type: ignore[assignment]  # a tuple has a method of that name
    complete: bool


def next_runs(trigger: BaseTrigger, n: int, now: datetime | None = None) -> list[datetime]:
    """The next ``n`` fire times at or after ``now`` (aware; the host's clock by default).

    Jitter is left out, so that a preview shows the times it varies from. Fewer than ``n`` come
    back when the trigger finishes.

    Raises:
        ValueError: ``now`` has no zone.
    """
    now = now or datetime.now(UTC)
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    plain = _without_jitter(normalize(trigger))
    runs: list[datetime] = []
    moment = plain.get_next_fire_time(None, now)
    if moment is not None and utc(moment) < utc(now):  # a date that has passed
        moment = first_after(plain, utc(now) - MICROSECOND)
    while moment is not None and len(runs) < n:
        runs.append(moment)
        moment = _after(plain, moment, now)
    return runs


def span(trigger: BaseTrigger, first: datetime, now: datetime, limit: int) -> Span:
    """Count the fire times in ``[first, now]``, where ``first`` is itself one.

    One division for an interval without jitter; otherwise at most ``limit`` steps.

    Raises:
        TriggerError: the trigger returned a time that is not after the one before.
    """
    if isinstance(trigger, IntervalTrigger) and not trigger.jitter:
        return _interval_span(trigger, first, now)
    last, count = first, 1
    while (following := _after(trigger, last, now)) and utc(following) <= utc(now):
        if count >= limit:
            return Span(last, count, complete=False)
        last, count = following, count + 1
    return Span(last, count, complete=True)


def _interval_span(trigger: IntervalTrigger, first: datetime, now: datetime) -> Span:
    until = min(utc(now), utc(trigger.end_date)) if trigger.end_date else utc(now)
    steps = max((until - utc(first)) // trigger.interval, 0)
    last = utc(first) + steps * trigger.interval
    return Span(last.astimezone(trigger.timezone), steps + 1, complete=True)


def _after(trigger: BaseTrigger, previous: datetime, now: datetime) -> datetime | None:
    following: datetime | None = trigger.get_next_fire_time(previous, max(previous, now, key=utc))
    if following is not None and utc(following) <= utc(previous):
        raise TriggerError(f"{trigger} goes from {previous} to {following}: it does not move on")
    return following


def _without_jitter(trigger: BaseTrigger) -> BaseTrigger:
    plain = copy.copy(trigger)
    if getattr(plain, "jitter", None):
        plain.jitter = None
    if members := getattr(plain, "triggers", None):
        plain.triggers = [_without_jitter(member) for member in members]
    return plain
