"""Where triggers begin and end, and what keeps their rhythm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers import calendarinterval
from apscheduler.triggers.date import DateTrigger

from scheduler.triggers import TriggerError, build, datetimes, describe, next_runs, normalize

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def days(trigger, n, now=NOW):
    return [f"{run:%m-%d %H:%M}" for run in next_runs(trigger, n, now)]


@pytest.mark.parametrize(
    ("kind", "args"), [("cron", {"hour": 0}), ("interval", {"days": 1})], ids=["cron", "interval"]
)
def test_nothing_before_the_start_or_after_the_end(kind, args):
    window = {"start_date": "2026-04-10", "end_date": "2026-04-12", "timezone": "UTC"}
    trigger = build(kind, **args, **window)
    assert days(trigger, 9) == ["04-10 00:00", "04-11 00:00", "04-12 00:00"]
    assert trigger.get_next_fire_time(None, NOW + timedelta(days=99)) is None


def test_jitter_ends_at_the_end(monkeypatch):
    monkeypatch.setattr(datetimes.random, "uniform", lambda low, high: high)
    end = NOW + timedelta(seconds=30)
    for kind, args in [("cron", {"second": "*/20"}), ("interval", {"seconds": 20})]:
        trigger = build(kind, **args, start_date=NOW, end_date=end, jitter=60, timezone="UTC")
        assert trigger.get_next_fire_time(None, NOW) == end


def test_a_calendar_interval_leaves_out_a_day_without_its_time():
    daily = build("calendarinterval", days=1, hour=2, minute=30, timezone="Europe/Berlin")
    assert days(daily, 3) == ["03-28 02:30", "03-30 02:30", "03-31 02:30"]


def test_a_calendar_interval_keeps_its_rhythm_when_jitter_crosses_midnight():
    late = build("calendarinterval", days=2, hour=23, minute=59, jitter=600, timezone="UTC")
    previous = datetime(2026, 3, 28, 0, 5, tzinfo=UTC)  # the run of the 27th
    following = late.get_next_fire_time(previous, previous)
    assert timedelta() <= following - datetime(2026, 3, 29, 23, 59, tzinfo=UTC)
    assert following - datetime(2026, 3, 29, 23, 59, tzinfo=UTC) <= timedelta(seconds=600)


def test_a_calendar_interval_reads_an_instant_of_another_zone():
    daily = build("calendarinterval", days=1, timezone="Europe/Berlin")
    previous = datetime(2026, 3, 26, 23, tzinfo=UTC)  # midnight of the 27th in Berlin
    following = daily.get_next_fire_time(previous, previous)
    assert following == datetime(2026, 3, 28, tzinfo=BERLIN)
    # What the stock trigger makes of it: the same day again.
    stock = calendarinterval.CalendarIntervalTrigger(days=1, timezone="Europe/Berlin")
    assert stock.get_next_fire_time(previous, previous) == datetime(2026, 3, 27, tzinfo=BERLIN)


def test_a_date_that_does_not_exist_is_shown_as_what_happens():
    gap = DateTrigger(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN))
    assert describe(gap) == "Once, at 2026-03-29 03:30:00 (Europe/Berlin)"
    assert next_runs(normalize(gap), 1, NOW) == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


def test_a_date_that_has_passed_is_no_next_run():
    passed = DateTrigger(NOW - timedelta(days=1))
    assert next_runs(passed, 1, NOW) == []
    dense = build("or", triggers=[passed, build("interval", microseconds=100_000, timezone="UTC")])
    assert len(next_runs(dense, 3, NOW)) == 3


@pytest.mark.parametrize("name", ["right/Europe/Berlin", "posix/UTC", "localtime", "Factory"])
def test_files_beside_the_zones_are_no_zones(name):
    with pytest.raises(TriggerError, match="no time zone"):
        build("cron", hour=3, timezone=name)
