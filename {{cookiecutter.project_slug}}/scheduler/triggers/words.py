"""Triggers in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron.expressions import WEEKDAYS
from apscheduler.triggers.date import DateTrigger
from cron_descriptor import ExpressionDescriptor, FormatError, Options

from .calendarinterval import UNITS, CalendarIntervalTrigger
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger
from .interval import IntervalTrigger
from .stock import normalize
from .zones import key_of

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
POSITION = re.compile(r"(?P<number>[1-5])(?:st|nd|rd|th) (?P<day>\w+)|last (?P<last>\w+)")


def describe(trigger: BaseTrigger) -> str:
    """``trigger`` as an English phrase, such as ``At 03:00, Monday through Friday (UTC)``."""
    trigger = normalize(trigger)
    word = WORDS.get(type(trigger))
    return word(trigger) if word else str(trigger)


def _date(trigger: Any) -> str:
    return f"Once, at {_moment(trigger.run_date)}{_zone(trigger.run_date.tzinfo)}"


def _interval(trigger: Any) -> str:
    return f"Every {_duration(trigger.interval)}{_rest(trigger)}"


def _calendarinterval(trigger: Any) -> str:
    units = [(getattr(trigger, name), name[:-1]) for name in UNITS]
    return f"Every {_amounts(units)} at {trigger.time.isoformat()}{_rest(trigger)}"


def _cron(trigger: CronTrigger) -> str:
    values = trigger.values()
    text, extra = _days(values, trigger.days == "either")
    if values["week"] != "*":
        extra += f", in ISO week {values['week']}"
    policies = trigger.policies()
    if "gap" in policies:
        extra += f", in a daylight saving gap {GAP_WORDS[trigger.gap]}"
    if "fold" in policies:
        extra += f", in a repeated hour {FOLD_WORDS[trigger.fold]}"
    return f"{_crontab(text)}{extra}{_rest(trigger)}"


GAP_WORDS = {"next": "right after it", "skip": "not at all"}
FOLD_WORDS = {"first": "once", "both": "twice"}


def _days(values: dict[str, str], either: bool) -> tuple[str, str]:
    """The expression that cron-descriptor can word, and the words for what it cannot."""
    day, weekday, extra = values["day"], values["day_of_week"], ""
    if day == "last":
        day = "L"
    elif re.search("[a-z]", day):
        day, weekday, extra = _positions(day, weekday)
    if day != "*" and weekday != "*" and not either:  # it would word these with "or"
        weekday, extra = "*", extra + f", only on {_weekdays(weekday)}"
    clock = " ".join(values[name] for name in ("second", "minute", "hour"))
    return f"{clock} {day} {values['month']} {weekday} {values['year']}".upper(), extra


def _positions(day: str, weekday: str) -> tuple[str, str, str]:
    match = POSITION.fullmatch(day)
    if match and weekday == "*":
        number = (WEEKDAYS.index(match["day"] or match["last"]) + 1) % 7
        return "*", f"{number}L" if match["last"] else f"{number}#{match['number']}", ""
    joined = ", ".join(f"the {part}" if part == "last" else part for part in day.split(","))
    return "*", weekday, f", on {joined} of the month"


def _weekdays(text: str) -> str:
    full = [
        " to ".join(NAMES[WEEKDAYS.index(name)] for name in part.split("-"))
        for part in text.split(",")
    ]
    return " and ".join([", ".join(full[:-1]), full[-1]] if full[1:] else full)


@lru_cache(maxsize=1024)
def _crontab(text: str) -> str:
    options = Options(use_24hour_time_format=True, locale_code="en_US")
    try:
        return str(ExpressionDescriptor(text, options).get_full_description())
    except FormatError:
        return f"Cron {text}"


def _all(trigger: Any) -> str:
    return f"When these agree: {_members(trigger, ' and ')}{_jitter(trigger)}"


def _any(trigger: Any) -> str:
    return f"Whenever one of these: {_members(trigger, ' or ')}{_jitter(trigger)}"


def _members(trigger: Any, joint: str) -> str:
    return joint.join(f"[{describe(member)}]" for member in trigger.triggers)


def _rest(trigger: Any) -> str:
    start = f", from {_moment(trigger.start_date)}" if trigger.start_date else ""
    end = f", until {_moment(trigger.end_date)}" if trigger.end_date else ""
    return f"{start}{end}{_jitter(trigger)}{_zone(trigger.timezone)}"


def _jitter(trigger: Any) -> str:
    return f", up to {trigger.jitter:g} s later at random" if trigger.jitter else ""


def _moment(value: Any) -> str:
    return value.replace(tzinfo=None).isoformat(" ") if isinstance(value, datetime) else str(value)


def _zone(zone: tzinfo) -> str:
    return f" ({key_of(zone) or zone})"


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    precise: float = seconds + span.microseconds / 1_000_000 if span.microseconds else seconds
    return _amounts([(span.days, "day"), (hours, "hour"), (minutes, "minute"), (precise, "second")])


def _amounts(units: list[tuple[float, str]]) -> str:
    parts = [(amount, unit) for amount, unit in units if amount]
    if len(parts) == 1 and parts[0][0] == 1:
        return parts[0][1]
    return " ".join(f"{amount} {unit}{'' if amount == 1 else 's'}" for amount, unit in parts)


WORDS: dict[type, Callable[[Any], str]] = {
    DateTrigger: _date,
    IntervalTrigger: _interval,
    CronTrigger: _cron,
    CalendarIntervalTrigger: _calendarinterval,
    AndTrigger: _all,
    OrTrigger: _any,
}
