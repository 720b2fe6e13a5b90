"""An interval trigger in exact arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.interval import IntervalTrigger as StockIntervalTrigger
from django.utils.translation import gettext_lazy

from .datetimes import MICROSECOND, delayed, utc
from .describe import every, window
from .errors import TriggerError
from .kind import FormField, TriggerKind
from .validation import (
    checked_jitter,
    checked_number,
    checked_window,
    common_arguments,
    stored_window,
    window_zone,
)

SECONDS = {
    "weeks": 604_800,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
    "microseconds": 1e-6,
}
UNITS = tuple(SECONDS)
MIN_INTERVAL = timedelta(milliseconds=100)
"""Each run is a row of the history, and a poll of the database takes longer."""


class IntervalTrigger(StockIntervalTrigger):
    """APScheduler's interval trigger, exact to the microsecond over any number of runs.

    Takes APScheduler's arguments and ``microseconds``. Without ``start_date`` the first run comes
    one interval after the trigger is first asked, and the trigger's text does not depend on the
    moment it was made: declaring a job again changes nothing. With ``start_date`` and ``jitter``
    the runs keep to the grid that starts there; delays do not add up.

    Raises:
        TriggerError: an interval of less than 0.1 s, a negative part, an end before the start.
    """

    def __init__(
        self,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        *,
        microseconds: int = 0,
    ) -> None:
        parts = (weeks, days, hours, minutes, seconds, microseconds)
        self.interval = _interval(dict(zip(UNITS, parts, strict=True)))
        self.interval_length = self.interval.total_seconds()
        self.timezone = window_zone(timezone, start_date, end_date)
        self.start_date, self.end_date = checked_window(start_date, end_date, self.timezone)
        self.jitter = checked_jitter(jitter)

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return one interval after ``previous_fire_time``, or else the first time from ``now``."""
        try:
            return self._delayed(self._base(previous_fire_time, now))
        except OverflowError:  # past the year 9999
            return None

    def first_after(self, moment: datetime) -> datetime | None:
        """Return the first time after ``moment``, on the grid of ``start_date`` if there is one."""
        try:
            if self.start_date is None:
                return self._delayed(utc(moment) + self.interval)
            return self._delayed(self._on_grid(self.start_date, utc(moment) + MICROSECOND))
        except OverflowError:
            return None

    def _base(self, previous: datetime | None, now: datetime) -> datetime:
        start = self.start_date
        if previous and not (self.jitter and start):
            return utc(previous) + self.interval
        if start is None:
            return utc(now) + self.interval
        return self._on_grid(start, utc(previous) + MICROSECOND if previous else utc(now))

    def _on_grid(self, start_date: datetime, floor: datetime) -> datetime:
        start = utc(start_date)
        steps = -((start - floor) // self.interval)  # rounded up
        return start + max(steps, 0) * self.interval

    def _delayed(self, base: datetime) -> datetime | None:
        if self.end_date and base > utc(self.end_date):
            return None
        return delayed(base, self.jitter, self.timezone, self.end_date)


def _interval(parts: dict[str, Any]) -> timedelta:
    numbers = {name: checked_number(name, value) for name, value in parts.items()}
    try:
        interval = timedelta(**numbers)
    except OverflowError:
        longest = max(numbers, key=lambda name: numbers[name] * SECONDS[name])
        raise TriggerError("the interval is too long", longest) from None
    if not interval:
        raise TriggerError(f"the interval is zero; give one of {', '.join(UNITS[:-1])}", "seconds")
    if interval < MIN_INTERVAL:
        raise TriggerError(
            f"the interval must be at least {MIN_INTERVAL.total_seconds():g} s; let one run do "
            "more work instead",
            next(name for name, number in parts.items() if number),
        )
    return interval


def _encode(trigger: Any) -> dict[str, Any]:
    whole = not trigger.interval.microseconds
    unit = timedelta(seconds=1) if whole else MICROSECOND
    return {
        "seconds" if whole else "microseconds": trigger.interval // unit,
        **stored_window(trigger),
    }


def _normalize(trigger: Any) -> IntervalTrigger:
    if type(trigger) is IntervalTrigger:
        return trigger
    span = trigger.interval
    return IntervalTrigger(
        days=span.days,
        seconds=span.seconds,
        microseconds=span.microseconds,
        **common_arguments(trigger),
    )


def _describe(trigger: Any) -> str:
    return f"{every(trigger.interval)}{window(trigger)}"


def _to_form(stored: dict[str, Any]) -> dict[str, Any] | None:
    if "microseconds" in stored:
        return None
    values = dict(stored)
    seconds = values.pop("seconds")
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            values[unit] = amount
    return values


INTERVAL = TriggerKind(
    name="interval",
    make=IntervalTrigger,
    types=(IntervalTrigger, StockIntervalTrigger),
    encode=_encode,
    describe=_describe,
    normalize=_normalize,
    label=gettext_lazy("Every so often"),
    fields=(
        FormField("weeks", gettext_lazy("weeks"), "whole"),
        FormField("days", gettext_lazy("days"), "whole"),
        FormField("hours", gettext_lazy("hours"), "whole"),
        FormField("minutes", gettext_lazy("minutes"), "whole"),
        FormField("seconds", gettext_lazy("seconds"), "whole"),
    ),
    has_window=True,
    to_form=_to_form,
)
