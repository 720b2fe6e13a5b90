"""APScheduler's own triggers, turned into ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import (
    CalendarIntervalTrigger as StockCalendarIntervalTrigger,
)
from apscheduler.triggers.combining import AndTrigger as StockAndTrigger
from apscheduler.triggers.combining import OrTrigger as StockOrTrigger
from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger as StockIntervalTrigger

from .calendarinterval import CalendarIntervalTrigger
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger
from .interval import IntervalTrigger
from .moments import utc


def normalize(trigger: BaseTrigger) -> BaseTrigger:
    """Our trigger for one of APScheduler's. Others, subclasses included, come back as they are.

    Raises:
        TriggerError: APScheduler accepts it but it cannot work, such as 30 February.
    """
    if type(trigger) in (AndTrigger, OrTrigger):
        members = [normalize(member) for member in trigger.triggers]
        same = all(new is old for new, old in zip(members, trigger.triggers, strict=True))
        return trigger if same else type(trigger)(members, trigger.jitter)
    turn = TURNS.get(type(trigger))
    return turn(trigger) if turn else trigger


def _date(trigger: Any) -> DateTrigger:
    real = utc(trigger.run_date).astimezone(trigger.run_date.tzinfo)
    # A time that the clock jumps over stands for the instant an offset gives it.
    same = real.replace(tzinfo=None) == trigger.run_date.replace(tzinfo=None)
    return trigger if same else DateTrigger(real)


def _cron(trigger: Any) -> CronTrigger:
    fields: dict[str, Any] = {field.name: str(field) for field in trigger.fields}
    return CronTrigger(**fields, **_common(trigger))


def _interval(trigger: Any) -> IntervalTrigger:
    span = trigger.interval
    return IntervalTrigger(
        days=span.days, seconds=span.seconds, microseconds=span.microseconds, **_common(trigger)
    )


def _calendarinterval(trigger: Any) -> CalendarIntervalTrigger:
    units = {name: getattr(trigger, name) for name in ("years", "months", "weeks", "days")}
    clock = {name: getattr(trigger._time, name) for name in ("hour", "minute", "second")}
    return CalendarIntervalTrigger(**units, **clock, **_common(trigger))


def _common(trigger: Any) -> dict[str, Any]:
    return {
        name: getattr(trigger, name) for name in ("start_date", "end_date", "timezone", "jitter")
    }


def _and(trigger: Any) -> AndTrigger:
    return AndTrigger([normalize(member) for member in trigger.triggers], trigger.jitter)


def _or(trigger: Any) -> OrTrigger:
    return OrTrigger([normalize(member) for member in trigger.triggers], trigger.jitter)


TURNS: dict[type, Callable[[Any], BaseTrigger]] = {
    DateTrigger: _date,
    StockCronTrigger: _cron,
    StockIntervalTrigger: _interval,
    StockCalendarIntervalTrigger: _calendarinterval,
    StockAndTrigger: _and,
    StockOrTrigger: _or,
}
