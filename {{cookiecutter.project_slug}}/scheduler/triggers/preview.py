"""The next fire times of a trigger, for people to look at."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from apscheduler.triggers.base import BaseTrigger

from .combining import first_after
from .datetimes import MICROSECOND, utc
from .errors import TriggerError
from .factory import normalize


def next_runs(trigger: BaseTrigger, n: int, now: datetime | None = None) -> list[datetime]:
    """Return the next ``n`` fire times at or after ``now`` (aware; by default the host's clock).

    Jitter is left out, so that a preview shows the times it varies from. Fewer than ``n`` come
    back when the trigger finishes.

    Raises:
        ValueError: ``now`` has no zone.
    """
    now = now or datetime.now(UTC)
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    plain = without_jitter(normalize(trigger))
    runs: list[datetime] = []
    moment = plain.get_next_fire_time(None, now)
    if moment is not None and utc(moment) < utc(now):  # a date that has passed
        moment = first_after(plain, utc(now) - MICROSECOND)
    while moment is not None and len(runs) < n:
        runs.append(moment)
        moment = _after(plain, moment, now)
    return runs


def _after(trigger: BaseTrigger, previous: datetime, now: datetime) -> datetime | None:
    following: datetime | None = trigger.get_next_fire_time(previous, max(previous, now, key=utc))
    if following is not None and utc(following) <= utc(previous):
        raise TriggerError(f"{trigger} goes from {previous} to {following}: it does not move on")
    return following


def without_jitter(trigger: BaseTrigger) -> BaseTrigger:
    """Return the trigger that fires on time."""
    plain = copy.copy(trigger)
    if getattr(plain, "jitter", None):
        plain.jitter = None
    if members := getattr(plain, "triggers", None):
        plain.triggers = [without_jitter(member) for member in members]
    return plain
