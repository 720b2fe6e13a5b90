"""A time of pytz is what its wall clock says, whether or not the zone was asked for the day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import pytz
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from scheduler.triggers import build, dumps, normalize
from scheduler.triggers.datetimes import checked_moment

BERLIN = pytz.timezone("Europe/Berlin")
WALL = datetime(2027, 6, 1, 12)
MEANT = datetime(2027, 6, 1, 10, tzinfo=UTC)
TIMES = {
    "as tzinfo": WALL.replace(tzinfo=BERLIN),
    "localized": BERLIN.localize(WALL),
    "localized in winter time": BERLIN.localize(WALL).astimezone(pytz.timezone("Africa/Lagos")),
}


@pytest.mark.parametrize("at", TIMES.values(), ids=TIMES)
def test_the_wall_clock_of_the_zone_is_meant(at):
    assert checked_moment(at, "next_run_time") == MEANT
    for trigger in (
        build("date", run_date=at),
        normalize(DateTrigger(at)),
        build("interval", hours=24, start_date=at),
        normalize(IntervalTrigger(hours=24, start_date=at)),
        build("cron", hour=3, start_date=at),
    ):
        assert "2027-06-01T10:00:00Z" in dumps(trigger)


@pytest.mark.parametrize("fold", [0, 1])
def test_either_of_two_equal_times_stays_itself(fold):
    at = BERLIN.localize(datetime(2027, 10, 31, 2, 30), is_dst=not fold)
    assert checked_moment(at, "run_date") == datetime(2027, 10, 31, fold, 30, tzinfo=UTC)


def test_a_time_zone_of_pytz_counts_by_its_rules():
    assert '"timezone":"Europe/Berlin"' in dumps(build("date", run_date=WALL, timezone=BERLIN))
    assert "2027-06-01T10:00:00Z" in dumps(build("date", run_date=WALL, timezone=BERLIN))
