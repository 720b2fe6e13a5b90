"""A calendar interval trigger that looks at ``now`` and keeps its rhythm."""

from __future__ import annotations

from calendar import monthrange
from copy import copy
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any

from apscheduler.triggers.calendarinterval import (
    CalendarIntervalTrigger as StockCalendarIntervalTrigger,
)
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .cron.wallclock import shift_at
from .datetimes import day, delayed, utc
from .describe import every_of, window
from .errors import TriggerError
from .kind import FormField, TriggerKind
from .timezones import parse_zone, stored_zone
from .validation import checked_jitter, checked_whole, common_arguments, stored_number

UNITS = ("years", "months", "weeks", "days")
CLOCK = ("hour", "minute", "second")
ONE_DAY = timedelta(days=1)


class CalendarIntervalTrigger(StockCalendarIntervalTrigger):
    """APScheduler's calendar interval trigger: every so many months or days, at one time of day.

    Takes APScheduler's arguments. Unlike the stock one it never starts in the past, reads a time
    given in another zone as the same instant, and does not drift when ``jitter`` crosses midnight.
    Without ``start_date`` it starts on the day it is first asked. A day whose time falls into a
    daylight saving gap is left out; a repeated time runs once, the first time.

    Raises:
        TriggerError: no interval, a part that is not a whole number, an end before the start.
    """

    def __init__(
        self,
        *,
        years: int = 0,
        months: int = 0,
        weeks: int = 0,
        days: int = 0,
        hour: int = 0,
        minute: int = 0,
        second: int = 0,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
    ) -> None:
        self.years = checked_whole("years", years)
        self.months = checked_whole("months", months)
        self.weeks = checked_whole("weeks", weeks)
        self.days = checked_whole("days", days)
        if not (years or months or weeks or days):
            raise TriggerError(f"the interval is zero; give one of {', '.join(UNITS)}", "days")
        self.timezone = parse_zone(timezone)
        self.start_date = day(start_date, self.timezone, "start_date")
        self.end_date = day(end_date, self.timezone, "end_date")
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise TriggerError(f"{self.end_date} lies before start_date", "end_date")
        self.jitter = checked_jitter(jitter)
        self._time = time(
            checked_whole("hour", hour, 23),
            checked_whole("minute", minute, 59),
            checked_whole("second", second, 59),
            tzinfo=self.timezone,
        )

    @property
    def time(self) -> time:
        """Return the time of day, without zone."""
        return self._time.replace(tzinfo=None)

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the time after ``previous_fire_time`` in its rhythm, or the first from ``now``."""
        if previous_fire_time is None:
            return self._from(self.start_date or self._day_of(now), utc(now), inclusive=True)
        previous = utc(previous_fire_time)
        base = self._day_of(previous_fire_time)
        if (made := self._instant(base)) and made > previous:
            base -= ONE_DAY  # jitter carried the previous run past midnight
        return self._from(self._step(base), previous, inclusive=False)

    def first_after(self, moment: datetime) -> datetime | None:
        """Return the first time after ``moment``, in the rhythm of ``start_date`` if it has one."""
        if self.start_date is None:
            return self.get_next_fire_time(moment, moment)
        return self._from(self.start_date, utc(moment), inclusive=False)

    def anchored(self, moment: datetime) -> CalendarIntervalTrigger:
        """Return the trigger begun on the day whose time of day is nearest to ``moment``."""
        if self.start_date:
            return self
        day, found = self._day_of(moment), copy(self)
        near = {
            abs(at - utc(moment)): each
            for each in (day - ONE_DAY, day, day + ONE_DAY)
            if (at := self._instant(each))
        }
        found.start_date = near[min(near)] if near else day
        return found

    def _day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.timezone).date()

    def _from(self, start: date | None, floor: datetime, *, inclusive: bool) -> datetime | None:
        current = self._near(start, self._day_of(floor)) if start else None
        while current and not (self.end_date and current > self.end_date):
            found = self._instant(current)
            if found and (found > floor or (inclusive and found == floor)):
                return delayed(found, self.jitter, self.timezone)
            current = self._step(current)
        return None

    def _near(self, start: date, wanted: date) -> date:
        """Return the last day of the rhythm before ``wanted``, where one division tells it."""
        stride = self.weeks * 7 + self.days
        if self.years or self.months or start >= wanted:
            return start
        return start + (wanted - start - ONE_DAY) // ONE_DAY // stride * stride * ONE_DAY

    def _step(self, current: date) -> date | None:
        year, month = current.year, current.month
        while True:
            month += self.months
            year += self.years + (month - 1) // 12
            month = (month - 1) % 12 + 1
            if year > MAXYEAR:
                return None
            if current.day <= monthrange(year, month)[1]:
                break
        try:
            return date(year, month, current.day) + timedelta(days=self.days, weeks=self.weeks)
        except OverflowError:
            return None

    def _instant(self, current: date) -> datetime | None:
        wall = datetime.combine(current, self.time)
        shift = shift_at(wall, self.timezone)
        return None if shift and shift.is_gap else utc(wall.replace(tzinfo=self.timezone))


def _encode(trigger: Any) -> dict[str, Any]:
    units = {name: getattr(trigger, name) for name in UNITS}
    clock = {name: getattr(trigger.time, name) for name in CLOCK}
    return {
        **{name: number for name, number in units.items() if number},
        **{name: number for name, number in clock.items() if number or name == "hour"},
        "start_date": trigger.start_date.isoformat() if trigger.start_date else None,
        "end_date": trigger.end_date.isoformat() if trigger.end_date else None,
        "timezone": stored_zone(trigger.timezone),
        "jitter": stored_number(trigger.jitter),
    }


def _normalize(trigger: Any) -> CalendarIntervalTrigger:
    if type(trigger) is CalendarIntervalTrigger:
        return trigger
    units = {name: getattr(trigger, name) for name in UNITS}
    clock = {name: getattr(trigger._time, name) for name in CLOCK}
    return CalendarIntervalTrigger(**units, **clock, **common_arguments(trigger))


def _describe(trigger: Any) -> str:
    every = every_of({name: getattr(trigger, name) for name in UNITS})
    when = _("%(every)s at %(time)s") % {"every": every, "time": trigger.time.isoformat()}
    return f"{when}{window(trigger)}"


def _from_form(values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments: a form asks for moments, and this trigger counts days."""
    edges = {name: values[name][:10] for name in ("start_date", "end_date") if name in values}
    return values | edges


CALENDARINTERVAL = TriggerKind(
    name="calendarinterval",
    make=CalendarIntervalTrigger,
    types=(CalendarIntervalTrigger, StockCalendarIntervalTrigger),
    encode=_encode,
    describe=_describe,
    normalize=_normalize,
    label=gettext_lazy("Every so many days, weeks, months or years"),
    fields=(
        FormField("years", gettext_lazy("years"), "whole"),
        FormField("months", gettext_lazy("months"), "whole"),
        FormField("weeks", gettext_lazy("weeks"), "whole"),
        FormField("days", gettext_lazy("days"), "whole"),
        FormField("hour", gettext_lazy("at hour"), "whole", maximum=23),
        FormField("minute", gettext_lazy("minute"), "whole", maximum=59),
        FormField("second", gettext_lazy("second"), "whole", maximum=59),
    ),
    has_window=True,
    from_form=_from_form,
)
