"""The wall times that a cron trigger's fields name."""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Mapping
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache

from apscheduler.triggers.cron.fields import BaseField

from ..errors import TriggerError
from .expressions import WEEK, field_of, matches

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (wall clock)
CYCLE = 400  # the Gregorian calendar, weekdays included, repeats after so many years


class Pattern:
    """Answers which wall time is next. Knows no zone. Never changes, so threads may share it."""

    __slots__ = (
        "_any_day",
        "_day",
        "_days",
        "_hours",
        "_minutes",
        "_months",
        "_seconds",
        "_weekdays",
        "_weeks",
        "_year",
    )

    def __init__(self, texts: Mapping[str, str], any_day: bool) -> None:
        fields = {name: field_of(name, text) for name, text in texts.items()}
        self._any_day = any_day
        self._year = None if texts["year"] == "*" else fields["year"]
        self._months = {n for n in range(1, 13) if matches(fields["month"], date(2000, n, 1))}
        self._weeks = None if texts["week"] == "*" else _weeks(fields["week"])
        self._day = fields["day"]
        # A position such as "last" is another day in each month.
        self._days = None if re.search("[a-z]", texts["day"]) else _days_of_month(self._day)
        self._weekdays = {day.weekday() for day in WEEK if matches(fields["day_of_week"], day)}
        self._hours = [n for n in range(24) if matches(fields["hour"], time(n))]
        self._minutes = [n for n in range(60) if matches(fields["minute"], time(0, n))]
        self._seconds = [n for n in range(60) if matches(fields["second"], time(0, 0, n))]

    @property
    def every_hour(self) -> bool:
        """Return whether the pattern matches in each hour of the day."""
        return len(self._hours) == 24

    def next(self, wall: datetime) -> datetime | None:
        """Return the first match at or after ``wall``, which must be naive and in whole seconds."""
        today = wall.date()
        if (found := self._time(wall.time())) and self._on(today):
            return datetime.combine(today, found)
        if today == date.max:
            return None
        day = self._next_day(today + timedelta(days=1))
        return datetime.combine(day, self._first_time()) if day else None

    def _on(self, day: date) -> bool:
        in_year = self._year is None or matches(self._year, day)
        return in_year and day.month in self._months and self._day_on(day)

    def _day_on(self, day: date) -> bool:
        if self._weeks is not None and day.isocalendar()[1] not in self._weeks:
            return False
        of_month = matches(self._day, day) if self._days is None else day.day in self._days
        # One is enough and is there, or both are needed and one is not.
        if of_month is self._any_day:
            return of_month
        return day.weekday() in self._weekdays

    def _first_time(self) -> time:
        return time(self._hours[0], self._minutes[0], self._seconds[0])

    def _time(self, wall: time) -> time | None:
        """Return the first time of day at or after ``wall``."""
        hour, same_hour = _at_or_after(self._hours, wall.hour)
        if same_hour:
            minute, same_minute = _at_or_after(self._minutes, wall.minute)
            if same_minute:
                second, _ = _at_or_after(self._seconds, wall.second)
                if second is not None:
                    return time(wall.hour, wall.minute, second)
                minute, _ = _at_or_after(self._minutes, wall.minute + 1)
            if minute is not None:
                return time(wall.hour, minute, self._seconds[0])
            hour, _ = _at_or_after(self._hours, wall.hour + 1)
        return None if hour is None else time(hour, self._minutes[0], self._seconds[0])

    def _next_day(self, day: date) -> date | None:
        """Return the first day at or after ``day``."""
        for _ in range(CYCLE):
            year = self._year.get_next_value(day) if self._year else day.year
            if year is None:
                return None
            start = day if year == day.year else date(year, 1, 1)
            if found := self._day_in_year(start):
                return found
            if year == MAXYEAR:
                return None
            day = date(year + 1, 1, 1)
        return None

    def _day_in_year(self, day: date) -> date | None:
        first = day.day
        for month in range(day.month, 13):
            if month in self._months:
                for number in range(first, monthrange(day.year, month)[1] + 1):
                    if self._day_on(candidate := date(day.year, month, number)):
                        return candidate
            first = 1
        return None


@lru_cache(maxsize=2048)
def pattern_of(texts: tuple[tuple[str, str], ...], any_day: bool) -> Pattern:
    """Return the pattern of these expressions. Jobs often share one, so they are kept.

    Raises:
        TriggerError: no such time ever comes.
    """
    pattern = Pattern(dict(texts), any_day)
    if pattern.next(EPOCH) is None:
        named = ", ".join(f"{name}={text}" for name, text in texts if text != "*")
        raise TriggerError(f"no such time ever comes: {named}")
    return pattern


def _weeks(field: BaseField) -> set[int]:
    return {n for n in range(1, 54) if matches(field, date.fromisocalendar(2020, n, 1))}


def _days_of_month(field: BaseField) -> set[int]:
    return {n for n in range(1, 32) if matches(field, date(2000, 1, n))}


def _at_or_after(values: list[int], value: int) -> tuple[int | None, bool]:
    index = bisect_left(values, value)
    if index == len(values):
        return None, False
    return values[index], values[index] == value
