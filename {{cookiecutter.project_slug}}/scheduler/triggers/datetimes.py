"""Points in time as people and JSON write them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from apscheduler.util import convert_to_datetime

from .errors import TriggerError
from .timezones import key_of, zone_if_known

MAX_TEXT = 64
"""Characters of a time as text. Python reads a thousand digits as one."""
MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
LATEST = datetime(9999, 12, 29, tzinfo=UTC)
"""A day and more from both ends of the calendar, so that every zone has a wall clock for it."""


def moment(value: Any, zone: tzinfo, field: str) -> datetime | None:
    """Return ``value`` as a time in ``zone``.

    Args:
        value: a datetime, a date or ISO text; naive means in ``zone``.
        field: the argument that an error names.

    Raises:
        TriggerError: not a time, or one that not every zone can show.
    """
    if value is None:
        return None
    parsed = _parsed(value, zone, field)
    try:
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
        instant = utc(aware)
    except OverflowError:
        instant = datetime.max.replace(tzinfo=UTC)
    if not EARLIEST <= instant <= LATEST:
        raise TriggerError(
            f"{value!r} is out of range; give a time from {EARLIEST.date()} to "
            f"{LATEST.date()}, or leave out a start or end that is never reached",
            field,
        )
    return instant.astimezone(zone)


def checked_moment(value: datetime | None, field: str) -> datetime | None:
    """Return an aware time in UTC; None for none.

    Raises:
        TriggerError: one that not every zone can show.
    """
    return moment(value, UTC, field)


def day(value: Any, zone: tzinfo, field: str) -> date | None:
    """Return ``value`` as a date.

    Args:
        value: a date, ISO text, or a moment, whose day in ``zone`` counts.
        field: the argument that an error names.

    Raises:
        TriggerError: not a date, or one that not every zone can show.
    """
    if value is None:
        return None
    found = moment(value, zone, field)
    return found.date() if found else None


def instant_text(value: datetime) -> str:
    """Return the instant in UTC, such as ``2026-03-29T01:00:00Z``."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def utc(value: datetime) -> datetime:
    """Return the instant in UTC, where times can be compared."""
    # Comparisons between two times of one zone look at the wall clock alone, and comparisons
    # between zones call no repeated hour equal to anything. In UTC both are right.
    return value.astimezone(UTC)


def ceil_second(value: datetime) -> datetime:
    """Return the first whole second that is not before ``value``."""
    return value.replace(microsecond=0) + SECOND if value.microsecond else value


def delayed(
    instant: datetime, jitter: float | None, zone: tzinfo | None, end: datetime | None = None
) -> datetime | None:
    """Return ``instant`` in ``zone``, up to ``jitter`` seconds later at random, not after ``end``.

    Adds in UTC: an addition on the wall clock would be an hour off across a change.

    Returns:
        None for an instant that not every zone can show: such a trigger is over.
    """
    late = utc(instant)
    if late > LATEST:
        return None
    if jitter:
        late += timedelta(seconds=random.uniform(0, jitter))  # noqa: S311
        late = min(late, utc(end) if end else LATEST)
    return late.astimezone(zone)


def _parsed(value: Any, zone: tzinfo, field: str) -> datetime:
    if isinstance(value, datetime):
        return _localized(value if type(value) is datetime else _plain(value))
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str):
        raise TriggerError(f"expected a date or time, got {value!r}", field)
    if len(value) > MAX_TEXT:
        raise TriggerError(
            f"{value[:40]!r}... is no date or time; write it like 2026-03-29 02:30:00", field
        )
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


def _localized(value: datetime) -> datetime:
    """Return a time of pytz's on the wall clock of its zone.

    Such a zone that was not asked for the offset of the day has that of the time before railways,
    such as +00:53, at which nobody means to run anything.
    """
    own = value.tzinfo
    if own is None or not hasattr(own, "localize") or not (key := key_of(own)):
        return value
    if (zone := zone_if_known(key)) is None:
        return value
    offsets = [value.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    return value if value.utcoffset() in offsets else value.replace(tzinfo=zone)


def _plain(value: datetime) -> datetime:
    """Return the same time as the standard library's type: others compute in ways of their own."""
    return datetime.combine(
        date(value.year, value.month, value.day),
        time(value.hour, value.minute, value.second, value.microsecond, fold=value.fold),
        tzinfo=value.tzinfo,
    )
