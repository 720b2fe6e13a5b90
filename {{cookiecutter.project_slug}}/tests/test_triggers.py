"""When jobs run: what triggers say, in JSON, in words and in times."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger as StockCalendar
from apscheduler.triggers.combining import AndTrigger as StockAnd
from apscheduler.triggers.cron import CronTrigger as StockCron
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger as StockInterval

from scheduler import triggers
from scheduler.triggers import build, dumps, loads

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)  # a Friday; Berlin's clock jumps on the 29th
BERLIN = ZoneInfo("Europe/Berlin")

CANONICAL = [
    '{"day":"1","hour":"0","minute":"0","timezone":"UTC","type":"cron"}',
    '{"hour":"3","minute":"0","timezone":"Europe/Berlin","type":"cron"}',
    '{"day_of_week":"mon-fri","end_date":"2026-12-31T23:00:00Z","hour":"9-17","jitter":30,'
    '"minute":"*/5","start_date":"2025-12-31T23:00:00Z","timezone":"Europe/Berlin","type":"cron"}',
    '{"day":"last,2nd fri","fold":"both","gap":"skip","hour":"2","second":"*/20",'
    '"timezone":"Europe/Berlin","type":"cron","week":"1-26","year":"2026-2030"}',
    '{"day":"13","day_of_week":"fri","days":"either","hour":"0","minute":"0","timezone":"UTC",'
    '"type":"cron"}',
    '{"minute":"*","timezone":"+05:30","type":"cron"}',
    '{"second":"*","timezone":"UTC","type":"cron"}',
    '{"seconds":300,"timezone":"UTC","type":"interval"}',
    '{"jitter":0.5,"microseconds":1500000,"start_date":"2026-01-01T00:00:00.000001Z",'
    '"timezone":"Asia/Tokyo","type":"interval"}',
    '{"run_date":"2026-10-25T01:30:00Z","timezone":"Europe/Berlin","type":"date"}',
    '{"end_date":"2030-01-31","hour":3,"minute":5,"months":1,"start_date":"2026-01-31",'
    '"timezone":"Europe/Berlin","type":"calendarinterval","weeks":2}',
    '{"jitter":5,"triggers":[{"day":"13","hour":"0","minute":"0","timezone":"UTC","type":"cron"},'
    '{"triggers":[{"day_of_week":"fri","hour":"0","minute":"0","timezone":"UTC","type":"cron"},'
    '{"run_date":"2026-04-01T00:00:00Z","timezone":"UTC","type":"date"}],"type":"or"}],'
    '"type":"and"}',
]


@pytest.mark.parametrize("text", CANONICAL)
def test_a_canonical_text_comes_back(text):
    assert dumps(loads(text)) == text
    assert loads(text) is loads(text)
    assert dumps(pickle.loads(pickle.dumps(loads(text)))) == text  # to worker processes


def test_a_text_that_a_person_wrote_becomes_canonical():
    text = '{ "type": "interval", "minutes": 5, "timezone": "UTC" }'
    assert dumps(loads(text)) == '{"seconds":300,"timezone":"UTC","type":"interval"}'


@pytest.mark.parametrize(
    "stock",
    [
        StockCron(hour=3, day_of_week="0-4", timezone="Europe/Berlin", jitter=5),
        StockInterval(seconds=1.5, start_date=NOW, end_date=NOW + timedelta(days=1)),
        StockCalendar(months=1, hour=3, start_date="2026-01-31", timezone="Europe/Berlin"),
        DateTrigger(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)),
        DateTrigger(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3.5)))),
        StockAnd([StockCron(day=13, timezone="UTC"), StockCron(day_of_week=4, timezone="UTC")]),
    ],
    ids=str,
)
def test_apschedulers_own_triggers_are_taken(stock):
    loaded = loads(dumps(stock))
    first = stock.get_next_fire_time(None, NOW)
    plain = triggers.next_runs(loaded, 1, min(NOW, first))[0]
    assert timedelta() <= first - plain.astimezone(UTC) <= timedelta(seconds=5)
    assert plain.tzname() == first.tzname()


def test_a_declaration_made_again_says_the_same():
    for kind, args in [("interval", {"days": 1}), ("calendarinterval", {"months": 1})]:
        assert "start_date" not in dumps(build(kind, timezone="UTC", **args))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("0 0 * * 0", "2026-03-29 00:00"),
        ("0 0 * * 7", "2026-03-29 00:00"),
        ("0 0 * * 1", "2026-03-30 00:00"),
        ("0 0 * * sat-sun", "2026-03-28 00:00"),
        ("0 0 * * 5-7/2", "2026-03-29 00:00"),
        ("30 4 1,15 * *", "2026-04-01 04:30"),
        ("0 0 13 * fri", "2026-04-03 00:00"),  # either: cron's rule for two restricted fields
        ("0 0 */2 * fri", "2026-04-03 00:00"),  # both: one of them starts with *
        ("*/20 9-17 * jan-jun/2 *", "2026-03-27 12:00"),
        ("5/15 * * * *", "2026-03-27 12:05"),
        ("0 0 1 */12 *", "2027-01-01 00:00"),
        ("@hourly", "2026-03-27 12:00"),
        ("@daily", "2026-03-28 00:00"),
        ("@midnight", "2026-03-28 00:00"),
        ("@weekly", "2026-03-29 00:00"),
        ("@monthly", "2026-04-01 00:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("@annually", "2027-01-01 00:00"),
    ],
)
def test_crontab(expr, expected):
    trigger = triggers.from_crontab(expr, "UTC")
    assert f"{triggers.next_runs(trigger, 1, NOW)[0]:%Y-%m-%d %H:%M}" == expected
    assert dumps(triggers.CronTrigger.from_crontab(expr, "UTC")) == dumps(trigger)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"]),
        ({"gap": "skip"}, ["03-28 02:30+0100", "03-30 02:30+0200", "03-31 02:30+0200"]),
    ],
)
def test_a_time_that_the_clock_jumps_over(policies, expected):
    trigger = build("cron", hour=2, minute=30, timezone="Europe/Berlin", **policies)
    assert [f"{t:%m-%d %H:%M%z}" for t in triggers.next_runs(trigger, 3, NOW)] == expected


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, ["10-25 02:30+0200", "10-26 02:30+0100"]),
        ({"fold": "both"}, ["10-25 02:30+0200", "10-25 02:30+0100"]),
    ],
)
def test_a_time_that_comes_twice(policies, expected):
    trigger = build("cron", hour=2, minute=30, timezone="Europe/Berlin", **policies)
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert [f"{t:%m-%d %H:%M%z}" for t in triggers.next_runs(trigger, 2, start)] == expected


def test_a_heartbeat_does_not_pause_for_a_repeated_hour():
    trigger = build("cron", minute="*/30", timezone="Europe/Berlin")
    for change in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        runs = [run.astimezone(UTC) for run in triggers.next_runs(trigger, 8, change)]
        assert runs == [change + n * timedelta(minutes=30) for n in range(8)]


def test_an_interval_keeps_its_grid_under_jitter():
    trigger = build("interval", seconds=10, start_date=NOW, jitter=3, timezone="UTC")
    moment = NOW
    for n in range(1, 50):
        moment = trigger.get_next_fire_time(moment, moment)
        assert timedelta() <= moment - (NOW + n * timedelta(seconds=10)) <= timedelta(seconds=3)


def test_a_calendar_interval_does_not_start_in_the_past():
    trigger = build("calendarinterval", months=1, start_date="2020-01-31", timezone="UTC")
    runs = triggers.next_runs(trigger, 2, NOW)
    assert [f"{run:%Y-%m-%d}" for run in runs] == ["2026-03-31", "2026-05-31"]


def test_and_returns_where_apschedulers_own_does_not():
    trigger = build(
        "and",
        timezone="UTC",
        triggers=[{"type": "cron", "day": 13}, {"type": "cron", "day_of_week": "fri"}],
    )
    first, second = triggers.next_runs(trigger, 2, NOW)
    assert (f"{first:%Y-%m-%d}", f"{second:%Y-%m-%d}") == ("2026-11-13", "2027-08-13")


def test_or_keeps_a_date_after_another_member_ran():
    when = NOW + timedelta(days=1, hours=2)
    trigger = build("or", triggers=[DateTrigger(when), build("cron", hour=0, timezone="UTC")])
    assert triggers.next_runs(trigger, 3, NOW)[1] == when


@pytest.mark.parametrize("text", CANONICAL)
def test_words_for_each(text):
    words = triggers.describe(loads(text))
    assert words[0].isupper()
    assert "{" not in words


def test_words():
    day_and_weekday = build("cron", day="1-7", day_of_week="mon", hour=3, timezone="UTC")
    assert triggers.describe(day_and_weekday) == (
        "At 03:00, between day 1 and 7 of the month, only on Monday (UTC)"
    )
    either = triggers.from_crontab("0 0 13 * fri", "UTC")
    assert triggers.describe(either) == "At 00:00, on day 13 of the month, or on Friday (UTC)"
    assert triggers.describe(build("interval", minutes=90, timezone="UTC")) == (
        "Every 1 hour 30 minutes (UTC)"
    )


def test_the_projects_zone_is_used_where_none_is_given(settings):
    settings.APSCHEDULER_TIMEZONE = "Asia/Tokyo"
    assert '"timezone":"Asia/Tokyo"' in dumps(build("cron", hour=3))
