"""Points in time as people and JSON write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from apscheduler.util import convert_to_datetime

from .errors import TriggerError

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


def moment(value: Any, zone: tzinfo, field: str) -> datetime | None:
    """``value`` (datetime, date or ISO text; naive means in ``zone``) as a time in ``zone``.

    Raises:
        TriggerError: not a time.
    """
    if value is None:
        return None
    parsed = _parsed(value, zone, field)
    try:
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
        return aware.astimezone(UTC).astimezone(zone)
    except OverflowError:
        raise TriggerError(f"{value!r} is out of range", field) from None


def day(value: Any, zone: tzinfo, field: str) -> date | None:
    """``value`` (date, ISO text, or a moment, whose day in ``zone`` counts) as a date.

    Raises:
        TriggerError: not a date.
    """
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    found = moment(value, zone, field)
    return found.date() if found else None


def instant_text(value: datetime) -> str:
    """The instant in UTC, such as ``2026-03-29T01:00:00Z``."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def utc(value: datetime) -> datetime:
    # Comparisons between two times of one zone look at the wall clock alone, and comparisons
    # between zones call no repeated hour equal to anything. In UTC both are right.
    return value.astimezone(UTC)


def ceil_second(value: datetime) -> datetime:
    return value.replace(microsecond=0) + SECOND if value.microsecond else value


def _parsed(value: Any, zone: tzinfo, field: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str):
        raise TriggerError(f"expected a date or time, got {value!r}", field)
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        pass
    try:  # APScheduler also reads 2026-3-1
        loose: datetime = convert_to_datetime(value.strip(), zone, field)
    except ValueError:
        raise TriggerError(
            f"{value!r} is no date or time; write it like 2026-03-29 02:30:00", field
        ) from None
    return loose
