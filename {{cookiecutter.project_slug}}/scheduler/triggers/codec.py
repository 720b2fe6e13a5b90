"""Triggers as JSON that an operator can read and write.

Instants are in UTC beside the zone's name, cron fields are expressions, intervals are exact
numbers: ``{"hour":"3","minute":"0","timezone":"Europe/Berlin","type":"cron"}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from .building import build
from .calendarinterval import CalendarIntervalTrigger
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger
from .errors import TriggerError
from .interval import IntervalTrigger
from .moments import instant_text
from .stock import normalize
from .zones import key_of


def dumps(trigger: BaseTrigger) -> str:
    """The one canonical text of ``trigger``: sorted keys, no spaces.

    Raises:
        TriggerError: not one of APScheduler's triggers or ours, or a zone without a name.
    """
    return json.dumps(_encode(normalize(trigger)), sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=4096)
def loads(text: str) -> BaseTrigger:
    """The trigger that ``text`` describes. Cached: equal texts give one shared trigger.

    Raises:
        TriggerError: what is wrong, and where.
    """
    try:
        data = json.loads(text)
    except (TypeError, ValueError) as error:
        raise TriggerError(f"the trigger is not JSON: {error}") from None
    except RecursionError:
        raise TriggerError("the trigger is nested too deeply") from None
    if not isinstance(data, dict):
        raise TriggerError(f"the trigger is not a JSON object: {text[:80]}")
    return build(data.pop("type", None), **data)


def _encode(trigger: BaseTrigger) -> dict[str, Any]:
    encode = ENCODERS.get(type(trigger))
    if encode is None:
        raise TriggerError(
            f"a trigger of type {type(trigger).__module__}.{type(trigger).__qualname__} cannot be "
            "stored; "
            "use a date, interval, cron, calendarinterval, and or or trigger"
        )
    return {name: value for name, value in encode(trigger).items() if value is not None}


def _date(trigger: Any) -> dict[str, Any]:
    zone = trigger.run_date.tzinfo
    if not key_of(zone):  # only the instant matters, and its offset tells that
        zone = timezone(trigger.run_date.utcoffset())
    return {"type": "date", "run_date": instant_text(trigger.run_date), "timezone": _zone(zone)}


def _interval(trigger: Any) -> dict[str, Any]:
    whole = not trigger.interval.microseconds
    unit = timedelta(seconds=1) if whole else timedelta(microseconds=1)
    return {
        "type": "interval",
        "seconds" if whole else "microseconds": trigger.interval // unit,
        **_window(trigger),
    }


def _cron(trigger: Any) -> dict[str, Any]:
    values = trigger.values()
    fields = {name: text for name, text in values.items() if text != "*"}
    # Fields after the last one written default to their minimum, those before it to "*". So the
    # last must be written, and "second": "0" need not be if "minute" is.
    if values["second"] == "0":
        del fields["second"]
        fields["minute"] = values["minute"]
    else:
        fields["second"] = values["second"]
    return {"type": "cron", **fields, **trigger.policies(), **_window(trigger)}


def _calendarinterval(trigger: Any) -> dict[str, Any]:
    units = {name: getattr(trigger, name) for name in ("years", "months", "weeks", "days")}
    clock = {name: getattr(trigger.time, name) for name in ("hour", "minute", "second")}
    return {
        "type": "calendarinterval",
        **{name: number for name, number in units.items() if number},
        **{name: number for name, number in clock.items() if number or name == "hour"},
        "start_date": trigger.start_date.isoformat() if trigger.start_date else None,
        "end_date": trigger.end_date.isoformat() if trigger.end_date else None,
        "timezone": _zone(trigger.timezone),
        "jitter": _number(trigger.jitter),
    }


def _combination(trigger: Any) -> dict[str, Any]:
    return {
        "type": "and" if isinstance(trigger, AndTrigger) else "or",
        "triggers": [_encode(member) for member in trigger.triggers],
        "jitter": _number(trigger.jitter),
    }


def _window(trigger: Any) -> dict[str, Any]:
    return {
        "start_date": instant_text(trigger.start_date) if trigger.start_date else None,
        "end_date": instant_text(trigger.end_date) if trigger.end_date else None,
        "timezone": _zone(trigger.timezone),
        "jitter": _number(trigger.jitter),
    }


def _zone(zone: tzinfo) -> str:
    if key := key_of(zone):
        return key
    raise TriggerError(f"{zone!r} has no name to store; pass a zone's name", "timezone")


def _number(value: float | None) -> float | None:
    return int(value) if value is not None and value == int(value) else value


ENCODERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    DateTrigger: _date,
    IntervalTrigger: _interval,
    CronTrigger: _cron,
    CalendarIntervalTrigger: _calendarinterval,
    AndTrigger: _combination,
    OrTrigger: _combination,
}
