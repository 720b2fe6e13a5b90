"""A cron trigger that is right across daylight saving changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.cron import CronTrigger as StockCronTrigger

from ..datetimes import MICROSECOND, ceil_second, delayed, utc
from ..errors import TriggerError
from ..validation import checked_jitter, checked_window, window_zone
from . import crontab
from .expressions import FIELDS, checked
from .pattern import pattern_of
from .wallclock import first_instant

GAPS = ("next", "skip")
FOLDS = ("first", "both")
DAYS = ("both", "either")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CronTrigger(StockCronTrigger):
    """APScheduler's cron trigger, searched on the wall clock of its zone.

    Takes APScheduler's arguments (numbers count weekdays from 0 = Monday; names are clearer) and:

    gap
        What happens to a wall time that the clock jumps over in spring: ``"next"`` runs it at
        the first moment after the gap, several of them once; ``"skip"`` does not run it.
    fold
        What happens to a wall time that comes twice in autumn: ``"first"`` runs it the first
        time only, ``"both"`` runs it both times.
    days
        ``"both"``: ``day`` and ``day_of_week`` must both match, as APScheduler has it.
        ``"either"``: one of them is enough, as cron has it where both are restricted.

    A trigger that names hours has ``gap="next"`` and ``fold="first"`` unless told otherwise:
    a nightly job runs once each night. One that runs in every hour names no time of day: it has
    ``"skip"`` and ``"both"``, so that it neither pauses for the repeated hour nor runs extra.

    Raises:
        TriggerError: a field, zone or policy that is wrong, or a time that never comes.
    """

    __slots__ = ("_pattern", "days", "fold", "gap")

    def __init__(
        self,
        year: Any = None,
        month: Any = None,
        day: Any = None,
        week: Any = None,
        day_of_week: Any = None,
        hour: Any = None,
        minute: Any = None,
        second: Any = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        *,
        gap: str | None = None,
        fold: str | None = None,
        days: str | None = None,
    ) -> None:
        given = (year, month, day, week, day_of_week, hour, minute, second)
        fields = {
            name: checked(name, value)
            for name, value in zip(FIELDS, given, strict=True)
            if value is not None
        }
        zone = window_zone(timezone, start_date, end_date)
        start, end = checked_window(start_date, end_date, zone)
        super().__init__(
            **fields,
            start_date=start,
            end_date=end,
            timezone=zone,
            jitter=checked_jitter(jitter),
        )
        self._settle(gap, fold, days)
        if start and end and self._first(EPOCH) is None:
            raise TriggerError("does not fire between start_date and end_date", "end_date")

    @classmethod
    def from_crontab(cls, expr: str, timezone: Any = None) -> CronTrigger:
        """Return the trigger of a standard crontab line, in which 0 and 7 are Sunday."""
        return from_crontab(expr, timezone)

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the first fire time after ``previous_fire_time``, or else at or after ``now``."""
        try:
            floor = utc(previous_fire_time) + MICROSECOND if previous_fire_time else utc(now)
            found = self._first(floor)
            return delayed(found, self.jitter, self.timezone, self.end_date) if found else None
        except OverflowError:  # past the year 9999
            return None

    def values(self) -> dict[str, str]:
        """Return the expression of each field by its name."""
        return {field.name: str(field) for field in self.fields}

    def policies(self) -> dict[str, str]:
        """Return ``gap``, ``fold`` and ``days`` where they are not what the fields imply."""
        implied = self._implied()
        return {
            name: getattr(self, name) for name in implied if getattr(self, name) != implied[name]
        }

    def __getstate__(self) -> dict[str, Any]:
        policies = {"gap": self.gap, "fold": self.fold, "days": self.days}
        return {**super().__getstate__(), **policies}

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self._settle(state.get("gap"), state.get("fold"), state.get("days"))

    def _settle(self, gap: str | None, fold: str | None, days: str | None) -> None:
        values = self.values()
        restricted = values["day"] != "*" and values["day_of_week"] != "*"
        self.days = _choice("days", days, DAYS, "both") if restricted else "both"
        self._pattern = pattern_of(tuple(values.items()), self.days == "either")
        implied = self._implied()
        self.gap = _choice("gap", gap, GAPS, implied["gap"])
        self.fold = _choice("fold", fold, FOLDS, implied["fold"])

    def _implied(self) -> dict[str, str]:
        if self._pattern.every_hour:
            return {"gap": "skip", "fold": "both", "days": "both"}
        return {"gap": "next", "fold": "first", "days": "both"}

    def _first(self, floor: datetime) -> datetime | None:
        if self.start_date:
            floor = max(floor, utc(self.start_date))
        found = first_instant(
            self._pattern, self.timezone, ceil_second(floor), gap=self.gap, fold=self.fold
        )
        if found is None or (self.end_date and found > utc(self.end_date)):
            return None
        return found


def from_crontab(expr: str, timezone: Any = None, **options: Any) -> CronTrigger:
    """Return the trigger that a crontab line's first five fields describe.

    Args:
        expr: for example ``"30 4 1,15 * 5"`` or ``"@daily"``.
        timezone: whose wall clock; the project's zone by default.
        options: further arguments of ``CronTrigger``: start_date, end_date, jitter, gap, fold.

    Raises:
        TriggerError: not a crontab expression; the message names the field.
    """
    return CronTrigger(**crontab.parse(expr), timezone=timezone, **options)


def _choice(name: str, value: str | None, allowed: tuple[str, ...], default: str) -> str:
    if value is None:
        return default
    if value not in allowed:
        raise TriggerError(f"expected {' or '.join(allowed)}, got {value!r}", name)
    return value
