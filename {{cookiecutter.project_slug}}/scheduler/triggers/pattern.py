"""The wall times that a cron trigger's fields name."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any

from apscheduler.triggers.cron.fields import BaseField

from .expressions import matches

CYCLE = 400  # the Gregorian calendar, weekdays included, repeats after so many years


class Pattern:
    """Answers which wall time is next. Knows no zone. Never changes, so threads may share it."""

    __slots__ = ("_any_day", "_date", "_hours", "_minutes", "_seconds")

    def __init__(self, fields: Iterable[BaseField], any_day: bool) -> None:
        named = {field.name: field for field in fields}
        self._any_day = any_day
        self._hours = _values(named.pop("hour"), 24)
        self._minutes = _values(named.pop("minute"), 60)
        self._seconds = _values(named.pop("second"), 60)
        self._date = named

    @property
    def every_hour(self) -> bool:
        return len(self._hours) == 24

    def next(self, wall: datetime) -> datetime | None:
        """The first match at or after ``wall``, which must be naive and in whole seconds."""
        today = wall.date()
        if (found := self._time(wall.time())) and self._on(today):
            return datetime.combine(today, found)
        if today == date.max:
            return None
        day = self._day(today + timedelta(days=1))
        return datetime.combine(day, self._first_time()) if day else None

    def _on(self, day: date) -> bool:
        return all(matches(self._date[name], day) for name in ("year", "month")) and self._day_on(
            day
        )

    def _day_on(self, day: date) -> bool:
        if not matches(self._date["week"], day):
            return False
        of_month = matches(self._date["day"], day)
        if (
            of_month is self._any_day
        ):  # one is enough and is there, or both are needed and one is not
            return of_month
        return matches(self._date["day_of_week"], day)

    def _first_time(self) -> time:
        return time(self._hours[0], self._minutes[0], self._seconds[0])

    def _time(self, wall: time) -> time | None:
        """The first time of day at or after ``wall``."""
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

    def _day(self, day: date) -> date | None:
        """The first day at or after ``day``."""
        for _ in range(CYCLE):
            year = self._date["year"].get_next_value(day)
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
            start = date(day.year, month, 1)
            if matches(self._date["month"], start):
                for number in range(first, monthrange(day.year, month)[1] + 1):
                    if self._day_on(candidate := start.replace(day=number)):
                        return candidate
            first = 1
        return None


def _values(field: BaseField, count: int) -> tuple[int, ...]:
    return tuple(n for n in range(count) if matches(field, _at(field, n)))


def _at(field: BaseField, value: int) -> time:
    parts: dict[str, Any] = {field.name: value}
    return time(**parts)


def _at_or_after(values: tuple[int, ...], value: int) -> tuple[int | None, bool]:
    index = bisect_left(values, value)
    if index == len(values):
        return None, False
    return values[index], values[index] == value
