"""Arguments that several triggers take."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, TypeVar

from .errors import TriggerError
from .moments import moment, utc
from .zones import key_of, zone_of

Number = TypeVar("Number", int, float)
MAX_NUMBER = 10**15  # microseconds of 31 years: any interval that somebody means
MAX_JITTER = 366 * 86_400


def window_zone(timezone: Any, start_date: Any, end_date: Any) -> tzinfo:
    """The trigger's zone: the one given, or that of its first date that has one, or the default."""
    if timezone:
        return zone_of(timezone)
    for edge in (start_date, end_date):
        if isinstance(edge, datetime) and edge.tzinfo and key_of(edge.tzinfo):
            return zone_of(edge.tzinfo)
    return zone_of(None)


def checked_window(
    start_date: Any, end_date: Any, zone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """Both ends as times in ``zone``.

    Raises:
        TriggerError: not a time, or the end lies before the start.
    """
    start = moment(start_date, zone, "start_date")
    end = moment(end_date, zone, "end_date")
    if start and end and utc(end) < utc(start):
        raise TriggerError(f"{end} lies before start_date {start}", "end_date")
    return start, end


def checked_jitter(value: Any) -> float | None:
    """Seconds of random delay; ``None`` for none.

    Raises:
        TriggerError: not a number, or negative.
    """
    return (checked_number("jitter", value, MAX_JITTER) or None) if value is not None else None


def checked_number(name: str, value: Any, most: float = MAX_NUMBER) -> float:
    """``value`` as a number from 0 to ``most``.

    Raises:
        TriggerError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise TriggerError(f"expected a number, got {value!r}", name)
    return _within(name, value, most)


def checked_whole(name: str, value: Any, most: int = MAX_NUMBER) -> int:
    """``value`` as a whole number from 0 to ``most``.

    Raises:
        TriggerError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TriggerError(f"expected a whole number, got {value!r}", name)
    return _within(name, value, most)


def _within(name: str, value: Number, most: float) -> Number:
    if value < 0:
        raise TriggerError(f"must not be negative, got {value}", name)
    if value > most:
        raise TriggerError(f"must not be greater than {most}, got {value}", name)
    return value
