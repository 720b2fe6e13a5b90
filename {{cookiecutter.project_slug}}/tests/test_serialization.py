"""Arguments and results as JSON: what comes back, what is refused, what is never run."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from scheduler.serialization import (
    SerializationError,
    dumps_args,
    dumps_kwargs,
    dumps_result,
    loads_args,
    loads_kwargs,
)

BERLIN = ZoneInfo("Europe/Berlin")

VALUES = [
    None,
    True,
    10**30,
    1.5,
    float("inf"),
    "Grüße 🚀 \x00 \ud800",
    b"\x00\xff",
    [1, [2, "x"]],
    (1, (2,), []),
    {1, "a"},
    frozenset({(1, 2)}),
    {"a": {"b": (1,)}},
    {1: "one", None: "none", (1, 2): "pair"},
    {"$date": "not a tag"},
    {"$set": 1, "b": 2},
    datetime(2026, 3, 29, 1, 30, 0, 5),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    datetime(2026, 1, 1, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
    date(2026, 3, 29),
    time(3, 4, 5, 6),
    time(3, tzinfo=BERLIN),
    timedelta(days=-3, microseconds=7),
    Decimal("1.10"),
    UUID("12345678123456781234567812345678"),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_equal_and_of_its_type(value):
    text = dumps_args([value])
    (back,) = loads_args(text)
    assert (back, type(back)) == (value, type(value))
    assert getattr(back, "tzinfo", None) == getattr(value, "tzinfo", None)
    assert getattr(back, "fold", 0) == getattr(value, "fold", 0)
    assert loads_kwargs(dumps_kwargs({"x": value})) == {"x": value}
    assert dumps_args(loads_args(text)) == text
    text.encode()  # every database can hold it


def test_the_text_is_json_that_a_person_can_read():
    assert dumps_kwargs({"when": date(2026, 3, 29), "name": "Grüße"}) == (
        '{"name":"Grüße","when":{"$date":"2026-03-29"}}'
    )
    assert dumps_args((1, "a")) == '[1,"a"]'
    assert loads_args("[]") == ()
    assert loads_kwargs("{}") == {}


class Colour(str, enum.Enum):  # noqa: UP042  (a str that is not exactly one)
    RED = "red"


class Report:
    def __repr__(self):
        return "<Report 7>"


def test_what_json_cannot_carry_is_refused_by_place_and_type():
    with pytest.raises(SerializationError, match=r"args\[1\]\['x'\]\[0\]: a .*Report cannot"):
        dumps_args([1, {"x": [Report()]}])
    with pytest.raises(SerializationError, match=r"kwargs\['c'\]: a .*Colour .*pass its value"):
        dumps_kwargs({"c": Colour.RED})
    with pytest.raises(SerializationError, match="a name must be a str"):
        dumps_kwargs({1: 2})
    itself: list = []
    itself.append(itself)
    with pytest.raises(SerializationError, match="contains itself"):
        dumps_args(itself)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", '[{"$what":1}]', '[{"$date":"soon"}]', '[{"$set":[[1]]}]', '[{"$uuid":7}]'],
)
def test_a_text_that_makes_no_sense_is_refused(text):
    with pytest.raises(SerializationError, match="args"):
        loads_args(text)


def test_pickles_only_where_they_are_allowed_and_signed(settings):
    with pytest.raises(SerializationError):
        dumps_args([Colour.RED])
    settings.APSCHEDULER_ALLOW_PICKLE = True
    text = dumps_args([Colour.RED])
    assert loads_args(text) == (Colour.RED,)

    pickled = json.loads(text)[0]["$pickle"]
    forged = json.dumps([{"$pickle": "x" + pickled}])
    with pytest.raises(SerializationError, match="signature is wrong"):
        loads_args(forged)

    settings.APSCHEDULER_ALLOW_PICKLE = False
    with pytest.raises(SerializationError, match="ALLOW_PICKLE is not set"):
        loads_args(text)


def test_a_changed_key_still_reads_old_pickles_through_the_fallbacks(settings):
    settings.APSCHEDULER_ALLOW_PICKLE = True
    text = dumps_args([Colour.RED])
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert loads_args(text) == (Colour.RED,)


class Rude:
    def __repr__(self):
        raise RuntimeError


def test_a_result_is_always_bounded_json():
    assert dumps_result({"sent": 3}, 100) == '{"sent":3}'
    assert dumps_result(None, 100) == "null"
    assert dumps_result(Report(), 100) == '{"$repr":"<Report 7>"}'
    assert "RuntimeError" in dumps_result(Rude(), 100)
    for value in ("x" * 500, '"' * 500, "\x00" * 500, ["é"] * 500, Report()):
        for limit in (1, 10, 11, 20, 100):
            text = dumps_result(value, limit)
            json.loads(text)
            assert len(text) <= max(limit, len("null"))
    assert json.loads(dumps_result("x" * 500, 100))["$cut"].startswith('"xxx')
