"""Arguments that several triggers take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from .datetimes import instant_text, moment, utc
from .errors import TriggerError
from .timezones import key_of, parse_zone, stored_zone

Number = TypeVar("Number", int, float)
MAX_NUMBER = 10**15  # microseconds of 31 years: any interval that somebody means
MAX_JITTER = 366 * 86_400
MAX_DEPTH = 10
"""How deep triggers may be nested; each level is a call in each search for the next run."""
MAX_MEMBERS = 1000


def check_depth(trigger: Any) -> None:
    """Check how deep triggers are nested, and how many, without a call for each level.

    Args:
        trigger: a trigger, or the arguments from which one is built.

    Raises:
        TriggerError: too deep, or too many.
    """
    if not _members(trigger):
        return
    level, number = [trigger], 0
    for _ in range(MAX_DEPTH + 1):
        level = [member for each in level for member in _members(each)]
        number += len(level)
        if number > MAX_MEMBERS:
            raise TriggerError(f"a combination may have {MAX_MEMBERS} triggers", "triggers")
        if not level:
            return
    raise TriggerError(f"triggers may be nested {MAX_DEPTH} levels deep", "triggers")


def common_arguments(trigger: Any) -> dict[str, Any]:
    """Return the arguments that most of APScheduler's triggers share, as they are."""
    names = ("start_date", "end_date", "timezone", "jitter")
    return {name: getattr(trigger, name) for name in names}


def stored_window(trigger: Any) -> dict[str, Any]:
    """Return the same arguments as JSON; None stands for "not given"."""
    return {
        "start_date": instant_text(trigger.start_date) if trigger.start_date else None,
        "end_date": instant_text(trigger.end_date) if trigger.end_date else None,
        "timezone": stored_zone(trigger.timezone),
        "jitter": stored_number(trigger.jitter),
    }


def stored_number(value: float | None) -> float | None:
    """Return the number, without a fraction where it has none."""
    return int(value) if value is not None and value == int(value) else value


def window_zone(timezone: Any, start_date: Any, end_date: Any) -> tzinfo:
    """Return the trigger's zone: as given, or that of its first date that has one, or the default.

    Raises:
        TriggerError: there is no such zone.
    """
    if timezone:
        return parse_zone(timezone)
    for edge in (start_date, end_date):
        if isinstance(edge, datetime) and edge.tzinfo and key_of(edge.tzinfo):
            return parse_zone(edge.tzinfo)
    return parse_zone(None)


def checked_window(
    start_date: Any, end_date: Any, zone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """Return both ends as times in ``zone``.

    Raises:
        TriggerError: not a time, or the end lies before the start.
    """
    start = moment(start_date, zone, "start_date")
    end = moment(end_date, zone, "end_date")
    if start and end and utc(end) < utc(start):
        raise TriggerError(f"{end} lies before start_date {start}", "end_date")
    return start, end


def checked_jitter(value: Any) -> float | None:
    """Return the seconds of random delay; None for none.

    Raises:
        TriggerError: not a number, or negative.
    """
    return (checked_number("jitter", value, MAX_JITTER) or None) if value is not None else None


def checked_number(name: str, value: Any, most: float = MAX_NUMBER) -> float:
    """Return ``value`` if it is a number from 0 to ``most``.

    Raises:
        TriggerError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise TriggerError(f"expected a number, got {value!r}", name)
    return _within(name, value, most)


def checked_whole(name: str, value: Any, most: int = MAX_NUMBER) -> int:
    """Return ``value`` if it is a whole number from 0 to ``most``.

    Raises:
        TriggerError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TriggerError(f"expected a whole number, got {value!r}", name)
    return _within(name, value, most)


def _members(trigger: Any) -> list[Any]:
    found = (
        trigger.get("triggers")
        if isinstance(trigger, Mapping)
        else getattr(trigger, "triggers", None)
    )
    return list(found) if isinstance(found, (list, tuple)) else []


def _within(name: str, value: Number, most: float) -> Number:
    if value < 0:
        raise TriggerError(f"must not be negative, got {value}", name)
    if value > most:
        raise TriggerError(f"must not be greater than {most}, got {value}", name)
    return value
