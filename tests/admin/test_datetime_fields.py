"""The moments of a schedule: on the wall clock of the zone that the form names."""

from __future__ import annotations

import json

import pytest
from scheduler import triggers
from scheduler.admin.fields.triggers import initial_of, trigger_from


def stored(**columns) -> str:
    return triggers.dumps(triggers.loads(json.dumps(columns)))


def changed(text: str, **entered) -> dict:
    """The trigger after the form that showed ``text`` was sent with ``entered``."""
    fields = {**initial_of(text), **entered}
    return json.loads(triggers.dumps(trigger_from(fields, text)))


ONCE = stored(type="date", run_date="2030-12-31T23:59:00.25+00:00", timezone="UTC")
WINDOW = stored(
    type="interval",
    seconds=60,
    start_date="2030-01-01T00:00:00.25+00:00",
    end_date="2030-07-01T00:00:00+00:00",
    timezone="UTC",
)


def test_another_zone_means_its_wall_clock():
    assert changed(ONCE, timezone="Europe/Berlin")["run_date"] == "2030-12-31T22:59:00Z"
    window = changed(WINDOW, timezone="Europe/Berlin")
    assert window["start_date"] == "2029-12-31T23:00:00Z"
    assert window["end_date"] == "2030-06-30T22:00:00Z"


def test_where_neither_kind_nor_zone_changes_a_moment_stays_to_the_microsecond():
    assert changed(WINDOW, interval_seconds=5)["start_date"] == "2030-01-01T00:00:00.250000Z"


@pytest.mark.parametrize("kind", ["calendarinterval", "interval"])
def test_another_kind_starts_on_the_day_that_is_shown(kind):
    zone = "Europe/Berlin"
    window = {"start_date": "2025-12-31T23:30:00+00:00", "timezone": zone}
    before = {
        "calendarinterval": stored(type="interval", seconds=60, **window),
        "interval": stored(type="calendarinterval", days=1, start_date="2026-01-01", timezone=zone),
    }
    after = changed(before[kind], schedule=kind, calendarinterval_days=1, interval_seconds=60)
    expected = {"calendarinterval": "2026-01-01", "interval": "2025-12-31T23:00:00Z"}
    assert after["start_date"] == expected[kind]
