"""What is refused names what to write instead, and what that names is accepted."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from scheduler.triggers import TriggerError, build
from scheduler.triggers.timezones import key_of, zone_named

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def refusal(kind: str, **args: object) -> str:
    with pytest.raises(TriggerError) as refused:
        build(kind, **args)
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("0 0 L * *", 'day="last"'),
        ("0 0 L-3 * *", 'day="last"'),
        ("0 0 * * 5L", 'day="last fri"'),
        ("0 0 * * fri#3", 'day="3rd fri"'),
        ("0 0 15W * *", "run on mon-fri"),
        ("0 0 ? * mon", r"write \* instead"),
        ("H 3 * * *", "jitter= in seconds"),
        ("H(0-29)/10 * * * *", "jitter= in seconds"),
        ("0~59 3 * * *", "jitter= in seconds"),
        ("CRON_TZ=Europe/Berlin 0 3 * * *", 'give timezone="Europe/Berlin" beside'),
        ("TZ=UTC 0 3 * * *", 'give timezone="UTC" beside'),
        ("MAILTO=root", "leave out variables"),
        ("@reboot", 'trigger "date" where your project starts'),
        ("@every 5m", 'trigger "interval", such as minutes=5'),
        ("0 3 * * * root /usr/bin/backup", "leave out the user and the command"),
        ("0 3 * * * /usr/bin/backup", "leave out the user and the command"),
        ("0 0 3 * * *", "for seconds, years or weeks use a cron trigger"),
        ("0 22-2 * * *", "write 22-23,0-2"),
        ("0 0 * * fri-mon", "write fri-sat,sun-mon"),
        ("0 0 * dec-feb *", "write dec,jan-feb"),
    ],
)
def test_a_line_of_another_cron_says_what_to_write_instead(line, instead):
    assert re.search(instead, refusal("crontab", expr=line))


@pytest.mark.parametrize(
    "line", ["0 22-23,0-2 * * *", "0 0 * * fri-sat,sun-mon", "0 0 * dec,jan-feb *"]
)
def test_what_the_hints_of_crontab_lines_say_is_accepted(line):
    assert build("crontab", expr=line).get_next_fire_time(None, NOON)


@pytest.mark.parametrize("day", ["last", "last fri", "3rd fri"])
def test_what_the_hints_for_days_say_is_accepted(day):
    assert build("cron", day=day, hour=0).get_next_fire_time(None, NOON)


def test_a_range_of_weekdays_over_sunday_says_that_the_week_begins_on_monday():
    message = refusal("cron", day_of_week="sun-thu")
    assert "the week begins on Monday here; write sun,mon-thu" in message
    assert build("cron", day_of_week="sun,mon-thu").get_next_fire_time(None, NOON)
    assert "write 22-23,0-2" in refusal("cron", hour="22-2")


@pytest.mark.parametrize(("day", "instead"), [("L", 'day="last"'), ("15w", "mon-fri")])
def test_a_field_of_a_cron_trigger_says_so_too(day, instead):
    assert instead in refusal("cron", day=day)


@pytest.mark.parametrize(
    ("name", "offset"),
    [("GMT+8", "+08:00"), ("UTC+8", "+08:00"), ("gmt-3", "-03:00"), ("+8", "+08:00"),
     ("UTC +05:30", "+05:30"), ("Z+1", "+01:00")],
)  # fmt: skip
def test_an_offset_leads_to_the_same_offset_and_not_to_the_opposite_one(name, offset):
    message = refusal("cron", hour=3, timezone=name)
    assert f"write {offset}," in message
    assert "Etc" not in message
    sign = 1 if "+" in name else -1
    assert zone_named(offset).utcoffset(None).total_seconds() * sign > 0


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin"])
def test_what_only_this_machine_knows_is_no_zone_and_is_not_suggested(name):
    message = refusal("cron", hour=3, timezone=name)
    assert "what this machine is set to" in message
    assert "did you mean" not in message


@pytest.mark.parametrize(
    ("name", "zone"),
    [("Europe/Berln", "Europe/Berlin"), ("berlin", "Europe/Berlin"),
     ("America/NewYork", "America/New_York"), ("locatime", None)],
)  # fmt: skip
def test_a_near_miss_names_zones_that_exist(name, zone):
    message = refusal("cron", hour=3, timezone=name)
    named = re.findall(r"[A-Z]\w+/\w+", message.partition(";")[2])
    assert all(key_of(zone_named(each)) for each in named)
    assert zone is None or zone in named


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("cron", {"minute": "1" + " " * 200_000 + "1"}),
        ("cron", {"minute": 10**20_000}),
        ("crontab", {"expr": "0," * 200_000 + "0 * * * *"}),
        ("crontab", {"expr": "9" * 5_000 + " * * * *"}),
        ("cron", {"hour": 3, "timezone": "Europe/" + "a" * 500_000}),
    ],
    ids=["spaces", "digits", "list", "number", "zone"],
)
def test_a_long_text_is_refused_at_once_and_not_repeated(kind, args):
    assert len(refusal(kind, **args)) < 500
