"""The rules of time zones: by which ones this process counts, and what others did to a plan.

Governments change offsets, and an update of the package tzdata, or of the system's files, brings
the change. A process keeps the rules with which it first used a zone until it ends.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import available_timezones

from apscheduler.triggers.base import BaseTrigger

from .calendarinterval import CalendarIntervalTrigger
from .combining import OrTrigger, first_after
from .datetimes import MICROSECOND, SECOND, utc
from .interval import IntervalTrigger
from .preview import without_jitter
from .timezones import zone_if_known

YEARS = 3
"""How far the fingerprint looks: a yearly job's next run lies within."""
STEP = timedelta(days=6)
FARTHEST = timedelta(hours=25)
"""No zone ever changed its offset by more than a day."""


@lru_cache(maxsize=2)
def fingerprint(year: int) -> str:
    """Return a text for the offsets of all zones in the three years from ``year`` on.

    Two processes with the same text name the same instants. Takes some tenths of a second, once.
    """
    begin = datetime(year, 1, 1, tzinfo=UTC)
    moments = [begin + n * STEP for n in range(YEARS * 366 // STEP.days + 1)]
    found = hashlib.sha256()
    for name in sorted(available_timezones()):
        if zone := zone_if_known(name):
            found.update(f"{name}{_offsets(zone, moments)}".encode())
    return f"{year}:{found.hexdigest()[:16]}"


def replanned(trigger: BaseTrigger, at: datetime, previous: datetime) -> datetime | None:
    """Return the time that a run planned for ``at`` has by the rules of now.

    Args:
        at: where the rules of the time of planning put it, and ``names`` finds it no more.
        previous: the run before, or when the job was added: the answer lies after it.

    Returns:
        None where the trigger has no further time.
    """
    plain = without_jitter(trigger)
    if isinstance(plain, CalendarIntervalTrigger):
        plain = plain.anchored(at)
    # The same wall time lies at most a day away. Before the middle between two runs a time would
    # rather be that of the run before, which has its run.
    near = at - min((utc(at) - utc(previous)) / 2, FARTHEST)
    return first_after(plain, max(near, previous, key=utc))


def names(trigger: BaseTrigger, at: datetime, slack: float = 0) -> bool:
    """Return whether the trigger may fire at ``at``, at most its jitter (and ``slack``) late."""
    slack += getattr(trigger, "jitter", None) or 0
    if members := getattr(trigger, "triggers", None):
        found = [names(member, at, slack) for member in members]
        return any(found) if isinstance(trigger, OrTrigger) else all(found)
    if isinstance(trigger, IntervalTrigger) and trigger.start_date is None:
        return True  # its times follow from one another, in no zone
    plain = without_jitter(trigger)
    if isinstance(plain, CalendarIntervalTrigger):
        plain = plain.anchored(at)
    first = first_after(plain, utc(at) - timedelta(seconds=slack) - MICROSECOND)
    return first is not None and utc(first) <= utc(at)


def _offsets(zone: tzinfo, moments: list[datetime]) -> list[tuple[str, float]]:
    """Return each offset with the second at which it begins."""
    found = []
    before: datetime | None = None
    known: timedelta | None = None
    for moment in moments:
        offset = moment.astimezone(zone).utcoffset()
        if offset is not None and offset != known:
            at = moment if before is None else _begins(zone, before, moment)
            found.append((at.isoformat(), offset.total_seconds()))
        before, known = moment, offset
    return found


def _begins(zone: tzinfo, early: datetime, late: datetime) -> datetime:
    """Return the first second with the offset of ``late``."""
    offset = late.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late
