"""Times of other libraries: stored as what they are, or refused with what to pass instead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pendulum
import pytest
from dateutil import parser, tz
from django.utils import timezone as django_timezone
from freezegun import freeze_time
from scheduler import scheduler
from scheduler.models import Job
from scheduler.serialization import SerializationError, dumps_args, loads_args
from scheduler.triggers import TriggerError, build, dumps, loads

from tests import bodies

FROZEN = "2026-03-29T01:30:00+00:00"


def test_times_under_freezegun_are_stored_as_the_times_that_they_stand_for():
    with freeze_time(FROZEN):
        args = [datetime.now(UTC), django_timezone.now(), date.today(), datetime.now()]  # noqa: DTZ005, DTZ011
        text = dumps_args(args)
        assert list(loads_args(text)) == args
    back = loads_args(text)
    assert [type(value) for value in back] == [datetime, datetime, date, datetime]
    assert back[0] == back[1] == datetime.fromisoformat(FROZEN)


@pytest.mark.django_db
def test_a_job_is_added_under_freezegun_and_kept_as_plain_times():
    with freeze_time(FROZEN):
        at = django_timezone.now() + timedelta(days=1)
        scheduler.add_job(bodies.add, "date", run_date=at, args=[at], id="frozen")
        scheduler.add_job(bodies.noop, "interval", hours=1, start_date=at, id="interval")
    row = Job.objects.get(pk="frozen")
    assert row.next_run_time == datetime(2026, 3, 30, 1, 30, tzinfo=UTC)
    assert loads_args(row.args) == (row.next_run_time,)
    trigger = loads(Job.objects.get(pk="interval").trigger)
    assert (trigger.start_date, type(trigger.start_date)) == (row.next_run_time, datetime)


@pytest.mark.parametrize(
    ("zone", "stored"),
    [
        (tz.tzutc(), "UTC"),
        (tz.tzoffset(None, 7200), "+02:00"),
        (tz.tzoffset("BRST", -5400), "-01:30"),
        (pendulum.timezone("Europe/Berlin"), "Europe/Berlin"),
        (pendulum.FixedTimezone(19_800), "+05:30"),
    ],
    ids=repr,
)
def test_a_zone_of_another_library_that_is_one_offset_or_has_a_name_is_kept(zone, stored):
    value = datetime(2026, 7, 1, 12, tzinfo=zone)
    (back,) = loads_args(dumps_args([value]))
    assert back == value
    assert back.utcoffset() == value.utcoffset()
    assert dumps(build("cron", hour=3, timezone=zone)) == dumps(
        build("cron", hour=3, timezone=stored)
    )
    run = build("date", run_date=value)
    assert run.run_date == value
    assert loads(dumps(run)).run_date == value


def test_what_a_parser_of_iso_texts_gives_is_kept():
    value = parser.isoparse("2026-07-01T12:00:00Z")
    assert loads_args(dumps_args([value])) == (datetime(2026, 7, 1, 12, tzinfo=UTC),)


class Odd(tzinfo):
    """As a project may write one."""

    def utcoffset(self, when):
        raise RuntimeError


@pytest.mark.parametrize("zone", [tz.gettz("Europe/Berlin"), Odd()], ids=["tzfile", "own class"])
def test_a_zone_without_a_name_is_refused_and_the_message_says_what_to_pass(zone):
    with pytest.raises(SerializationError, match=r"ZoneInfo\(\"Europe/Berlin\"\)"):
        dumps_args([datetime(2026, 7, 1, 12, tzinfo=zone)])
    with pytest.raises(TriggerError, match="pass a zone's name"):
        build("cron", hour=3, timezone=zone)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (pendulum.datetime(2026, 7, 1), r"datetime.fromisoformat\(value.isoformat\(\)\)"),
        (pendulum.date(2026, 7, 1), "the plain type of the module datetime"),
        (pendulum.time(12), "the plain type of the module datetime"),
        (pendulum.duration(hours=1), r"timedelta\(seconds=value.total_seconds\(\)\)"),
    ],
    ids=["datetime", "date", "time", "duration"],
)
def test_a_subclass_of_a_time_is_refused_with_the_plain_type_to_pass(value, hint):
    with pytest.raises(SerializationError, match=hint):
        dumps_args([value])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_triggers_compute_in_plain_times_whatever_they_were_given(zone):
    at = pendulum.datetime(2026, 3, 28, 2, 30, tz=zone)
    plain = datetime(2026, 3, 28, 2, 30, tzinfo=ZoneInfo(zone))
    now = datetime(2026, 3, 30, tzinfo=timezone.utc)  # noqa: UP017
    for kind, args in (
        ("interval", {"hours": 7, "start_date": at}),
        ("cron", {"hour": 3, "start_date": at}),
        ("calendarinterval", {"days": 2, "start_date": at}),
        ("date", {"run_date": at}),
    ):
        expected = build(kind, **{n: plain if v is at else v for n, v in args.items()})
        made = build(kind, **args)
        assert dumps(made) == dumps(expected)
        following = made.get_next_fire_time(None, now)
        assert following == expected.get_next_fire_time(None, now)
        assert type(following) is datetime
