"""The cron trigger against an oracle that knows nothing but the wall clock.

The oracle walks UTC in small steps, asks each zone what its clock shows, and applies the words of
the policies to what it saw. It shares no code with the trigger, not even the field expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from scheduler.triggers import CronTrigger

FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half an hour off
    "America/Santiago",  # jumps at midnight
    "America/Havana",  # jumps at midnight, back at one
    "Africa/Cairo",  # jumps at midnight
    "Africa/Casablanca",  # jumps around Ramadan
    "Antarctica/Troll",  # jumps by two hours
    "Australia/Lord_Howe",  # jumps by half an hour
    "Pacific/Chatham",  # three quarters of an hour off, jumps at a quarter to
)
ODD = (  # a zone and the UTC day of a change that is unlike the others
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),  # a whole day is missing
    ("America/Goose_Bay", datetime(2010, 3, 14, tzinfo=UTC)),  # one minute past midnight
    ("America/Goose_Bay", datetime(2010, 11, 7, tzinfo=UTC)),
    ("Asia/Pyongyang", datetime(2015, 8, 14, tzinfo=UTC)),  # back by half an hour, for good
    ("Asia/Pyongyang", datetime(2018, 5, 4, tzinfo=UTC)),
)


@dataclass(frozen=True)
class Case:
    name: str
    fields: tuple[tuple[str, str], ...]
    holds: Callable[[datetime], bool]  # for a wall time with second 0
    hourly: bool = False  # runs in every hour, and so has other policies unless told otherwise
    dense: bool = False


def case(name: str, holds: Callable[[datetime], bool], **fields: str) -> Case:
    hourly = "hour" not in fields
    return Case(name, tuple(fields.items()), holds, hourly, dense=hourly)


CASES = (
    case("midnight", lambda w: (w.hour, w.minute) == (0, 0), hour="0", minute="0"),
    case("00:30", lambda w: (w.hour, w.minute) == (0, 30), hour="0", minute="30"),
    case("01:30", lambda w: (w.hour, w.minute) == (1, 30), hour="1", minute="30"),
    case("02:30", lambda w: (w.hour, w.minute) == (2, 30), hour="2", minute="30"),
    case("03:00", lambda w: (w.hour, w.minute) == (3, 0), hour="3", minute="0"),
    case("*/2 h", lambda w: w.hour % 2 == 0 and w.minute == 15, hour="*/2", minute="15"),
    case("quarters of the night", lambda w: w.hour < 4 and w.minute % 15 == 0,
         hour="0-3", minute="*/15"),
    case("first of month", lambda w: (w.day, w.hour, w.minute) == (1, 0, 0),
         day="1", hour="0", minute="0"),
    case("Sunday 02:00", lambda w: w.weekday() == 6 and (w.hour, w.minute) == (2, 0),
         day_of_week="sun", hour="2", minute="0"),
    case("last day 23:45", lambda w: (w + timedelta(days=1)).day == 1 and (w.hour, w.minute)
         == (23, 45), day="last", hour="23", minute="45"),
    case("each hour", lambda w: w.minute == 30, minute="30"),
    case("each quarter", lambda w: w.minute % 15 == 0, minute="*/15"),
)  # fmt: skip


class Oracle:
    """What a zone's clock shows at each step of a stretch of UTC."""

    def __init__(self, zone: str, first: datetime, last: datetime, step: timedelta) -> None:
        steps = (last - first) // step
        info = ZoneInfo(zone)
        self.first, self.last = first, last
        self.ticks = [first + n * step for n in range(steps + 1)]
        self.walls = [tick.astimezone(info).replace(tzinfo=None, fold=0) for tick in self.ticks]
        seen: set[datetime] = set()
        self.repeated = [wall in seen or seen.add(wall) for wall in self.walls]
        # The wall times that no tick shows, each with the first tick after them.
        self.missing = [
            (before + n * step, tick)
            for (before, after), tick in zip(pairwise(self.walls), self.ticks[1:], strict=True)
            for n in range(1, (after - before) // step)
        ]

    def expected(self, holds: Callable[[datetime], bool], gap: str, fold: str) -> list[datetime]:
        due = {
            tick
            for tick, wall, again in zip(self.ticks, self.walls, self.repeated, strict=True)
            if holds(wall) and (fold == "both" or not again)
        }
        if gap == "next":
            due |= {tick for wall, tick in self.missing if holds(wall)}
        return sorted(due)


@lru_cache(maxsize=32)
def oracle(zone: str, first: datetime, last: datetime, step: timedelta = STEP) -> Oracle:
    return Oracle(zone, first, last, step)


def shifts(zone: str) -> Iterator[datetime]:
    """The changes of the three years, to the step."""
    whole = oracle(zone, FIRST, LAST)
    for (wall, after), tick in zip(pairwise(whole.walls), whole.ticks[1:], strict=True):
        if after - wall != STEP:
            yield tick


def walked(trigger: StockCronTrigger, first: datetime, last: datetime) -> list[datetime]:
    """The chain of fire times, as a scheduler follows it."""
    found: list[datetime] = []
    moment = trigger.get_next_fire_time(None, first)
    while moment and moment.astimezone(UTC) <= last:
        found.append(moment.astimezone(UTC))
        moment = trigger.get_next_fire_time(moment, last)
    return found


def due(each: Case, watched: Oracle, gap: str, fold: str) -> list[datetime]:
    return watched.expected(each.holds, gap, fold)


@pytest.mark.parametrize("zone", ZONES)
def test_cron_times_of_three_years_equal_the_oracle_s(zone: str) -> None:
    assert len(list(shifts(zone))) >= 6
    for each in CASES:
        watched = oracle(zone, FIRST, LAST)
        gap, fold = ("skip", "both") if each.hourly else ("next", "first")
        trigger = CronTrigger(**dict(each.fields), timezone=zone)
        if not each.dense:
            assert walked(trigger, FIRST, LAST) == due(each, watched, gap, fold), each.name
            continue
        for shift in shifts(zone):
            near = oracle(zone, shift - timedelta(days=2), shift + timedelta(days=2))
            assert walked(trigger, near.first, near.last) == due(each, near, gap, fold), each.name


@pytest.mark.parametrize("zone", ZONES)
def test_each_policy_around_each_change(zone: str) -> None:
    policies = list(product(("next", "skip"), ("first", "both")))
    for shift, each, (gap, fold) in product(shifts(zone), CASES, policies):
        near = oracle(zone, shift - timedelta(days=1, hours=1), shift + timedelta(days=1, hours=1))
        trigger = CronTrigger(**dict(each.fields), timezone=zone, gap=gap, fold=fold)
        expected = due(each, near, gap, fold)
        assert walked(trigger, near.first, near.last) == expected, (each.name, shift, gap, fold)


@pytest.mark.parametrize("zone", ZONES)
def test_asked_at_any_moment_around_a_change(zone: str) -> None:
    policies = list(product(("next", "skip"), ("first", "both")))
    for shift, each, (gap, fold) in product(shifts(zone), CASES[:7] + CASES[-2:], policies):
        near = oracle(zone, shift - timedelta(days=1), shift + timedelta(days=2))
        trigger = CronTrigger(**dict(each.fields), timezone=zone, gap=gap, fold=fold)
        expected = due(each, near, gap, fold)
        for quarters in range(-10, 10):
            for late in (timedelta(), timedelta(seconds=1), timedelta(minutes=7, microseconds=1)):
                now = shift + quarters * STEP + late
                following = next((tick for tick in expected if tick >= now), None)
                if following is None:
                    continue
                found = trigger.get_next_fire_time(None, now)
                # In UTC: between zones, Python calls a repeated time equal to nothing.
                assert found.astimezone(UTC) == following, (each.name, now, gap, fold)


@pytest.mark.parametrize(("zone", "day"), ODD)
def test_cron_times_across_odd_changes_of_the_clock_equal_the_oracle_s(
    zone: str, day: datetime
) -> None:
    minute = timedelta(minutes=1)
    near = oracle(zone, day - timedelta(days=2), day + timedelta(days=3), minute)
    for each, gap, fold in product(CASES, ("next", "skip"), ("first", "both")):
        trigger = CronTrigger(**dict(each.fields), timezone=zone, gap=gap, fold=fold)
        expected = due(each, near, gap, fold)
        assert walked(trigger, near.first, near.last) == expected, (each.name, gap, fold)


def test_the_oracle_sees_what_the_stock_trigger_gets_wrong() -> None:
    """A test of the test: APScheduler 3.11 loses the midnight after a change in spring."""
    trigger = StockCronTrigger(hour=0, minute=0, timezone="Europe/Berlin")
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    near = oracle("Europe/Berlin", spring - timedelta(days=2), spring + timedelta(days=3))
    assert walked(trigger, near.first, near.last) != due(CASES[0], near, "next", "first")
