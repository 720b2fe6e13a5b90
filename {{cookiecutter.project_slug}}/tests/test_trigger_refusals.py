"""Triggers that make no sense, each refused by the name of what is wrong."""

from __future__ import annotations

import json

import pytest

from scheduler.triggers import TriggerError, build, loads


@pytest.mark.parametrize(
    ("kind", "args", "field", "message"),
    [
        ("cron", {"day": 30, "month": 2}, None, "no such time ever comes"),
        ("cron", {"hour": 24}, "hour", "higher than the maximum value"),
        ("cron", {"hours": 3}, "hours", "did you mean hour?"),
        ("cron", {"day_of_week": "mon-fri/2"}, "day_of_week", "is no expression"),
        ("cron", {"hour": True}, "hour", "expected a number or an expression"),
        ("cron", {"hour": 3, "timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
        ("cron", {"hour": 3, "timezone": "../etc/passwd"}, "timezone", "no time zone"),
        ("cron", {"hour": 3, "gap": "soon"}, "gap", "next or skip"),
        ("interval", {}, "seconds", "the interval is zero"),
        ("interval", {"seconds": -1}, "seconds", "must not be negative"),
        ("interval", {"seconds": float("nan")}, "seconds", "expected a number"),
        ("interval", {"seconds": 1, "jitter": -1}, "jitter", "must not be negative"),
        ("interval", {"days": 1, "start_date": "2026-02-01", "end_date": "2026-01-01"},
         "end_date", "lies before start_date"),
        ("calendarinterval", {}, "days", "the interval is zero"),
        ("calendarinterval", {"days": 1, "hour": 24}, "hour", "greater than 23"),
        ("date", {"run_date": "tomorrow"}, "run_date", "no date or time"),
        ("crontab", {"expr": "* * * *"}, "expr", "4 fields, expected 5"),
        ("crontab", {"expr": "60 * * * *"}, "minute", "number from 0 to 59"),
        ("crontab", {"expr": "*/90 * * * *"}, "minute", "longer than the field"),
        ("crontab", {"expr": "0 0 * * fri-mon"}, "day_of_week", "runs backwards"),
        ("crontab", {"expr": "@reboot"}, "expr", "nothing fires when"),
        ("and", {"triggers": []}, "triggers", "empty"),
        ("and", {"triggers": [{"type": "cron", "hour": 1}, {"type": "cron", "hour": 2}]},
         "triggers", "never fire at the same moment"),
        ("and", {"triggers": [{"type": "interval", "hours": 1}]}, "triggers", "needs start_date"),
        ("sometimes", {}, "type", "known: interval, crontab"),
        ("intervl", {"hours": 1}, "type", "did you mean interval?"),
        ("interval", {"hours": 1, "max_retry": 3}, "max_retry", "known: weeks, .*microseconds$"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(kind, args, field, message):
    with pytest.raises(TriggerError, match=message) as refused:
        build(kind, **args)
    assert refused.value.field == field
    if "nan" not in repr(args):
        with pytest.raises(TriggerError, match=message):
            loads(json.dumps({"type": kind, **args}))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"type":"cron","kind":"x"}'])
def test_a_text_that_is_no_trigger_is_refused(text):
    with pytest.raises(TriggerError):
        loads(text)
