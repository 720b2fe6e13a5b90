"""The periods that trends are shown for, cut into hours or days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.utils import dateformat, timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy, pgettext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """How far back a page looks."""

    name: str
    label: Any
    number: int
    """Of hours or days, the one that is under way among them."""
    by_hour: bool = False
    of_one_job: bool = False
    """Only: of all jobs it would be too much to add up for a page."""


PERIODS = {
    period.name: period
    for period in (
        Period("day", gettext_lazy("24 hours"), 24, by_hour=True),
        Period("week", gettext_lazy("7 days"), 7),
        Period("month", gettext_lazy("30 days"), 30),
        Period("quarter", gettext_lazy("90 days"), 90, of_one_job=True),
    )
}


@dataclass(frozen=True)
class Bin:
    """One hour or day of a period."""

    start: datetime
    end: datetime
    label: str
    short: str
    """Of an axis, where there is little room."""

    @property
    def query(self) -> str:
        """Return the query of the list of executions that ended in it."""
        return urlencode({"from": self.start.isoformat(), "to": self.end.isoformat()})


def cut(period: Period, now: datetime, *, utc: bool) -> list[Bin]:
    """Return the hours or days of a period, the oldest first.

    Args:
        utc: cut days as UTC does, not as the current time zone.
    """
    if period.by_hour:
        this = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        starts = [this - back * HOUR for back in range(period.number - 1, -2, -1)]
        return _between(starts, "D H:i", "H:i")
    zone = UTC if utc else timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    days = [today - back * DAY for back in range(period.number - 1, -2, -1)]
    return _between([datetime.combine(day, time.min, zone) for day in days], *_day_formats())


def index(bins: Sequence[Bin], at: datetime) -> int | None:
    """Return which of the bins a moment lies in; None: in none of them."""
    if not bins or not bins[0].start <= at < bins[-1].end:
        return None
    low, high = 0, len(bins) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bins[middle].start <= at else (low, middle - 1)
    return low


def _day_formats() -> tuple[str, str]:
    """Return how the language writes a day with and without its weekday, in little room."""
    return (
        pgettext("date format, as of Django's templates", "D j M"),
        pgettext("date format, as of Django's templates", "j M"),
    )


def _between(starts: Sequence[datetime], form: str, short: str) -> list[Bin]:
    return [
        Bin(start, end, *(dateformat.format(_shown(start, form), f) for f in (form, short)))
        for start, end in pairwise(starts)
    ]


def _shown(start: datetime, form: str) -> datetime:
    """Hours are shown by the current zone's clock; days are those of the zone that cut them."""
    return timezone.localtime(start) if "H" in form else start
