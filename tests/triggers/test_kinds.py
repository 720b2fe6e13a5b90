"""A kind of trigger is one object: what is registered is built, stored, described and offered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.base import BaseTrigger
from scheduler import scheduler, triggers
from scheduler.admin.fields.schedule import schedule_fields
from scheduler.admin.fields.triggers import initial_of, trigger_from
from scheduler.triggers import FormField, TriggerKind, kind

NOW = datetime(2030, 1, 1, 0, 30, tzinfo=UTC)


class StockTide(BaseTrigger):
    """What another package brings: APScheduler's side of it."""

    def __init__(self, minutes):
        self.minutes = minutes

    def get_next_fire_time(self, previous_fire_time, now):
        return now


class Tide(BaseTrigger):
    """A toy: high water comes 12 hours and some minutes after the one before."""

    timezone = UTC

    def __init__(self, minutes=25, timezone=None):
        if not 0 <= minutes < 60:
            raise triggers.TriggerError("must be from 0 to 59", "minutes")
        self.minutes = minutes

    def get_next_fire_time(self, previous_fire_time, now):
        return (previous_fire_time or now) + timedelta(hours=12, minutes=self.minutes)

    def __getstate__(self):  # APScheduler's combinations copy their members so
        return self.minutes

    def __setstate__(self, state):
        self.minutes = state


TIDE = TriggerKind(
    name="tide",
    make=Tide,
    types=(Tide, StockTide),
    encode=lambda trigger: {"minutes": trigger.minutes},
    describe=lambda trigger: f"Every high water, {trigger.minutes} minutes late",
    normalize=lambda trigger: Tide(trigger.minutes),
    label="High water",
    fields=(FormField("minutes", "minutes late", "whole", maximum=59),),
)


@pytest.fixture
def tide(monkeypatch):
    monkeypatch.setattr(kind, "_by_type", dict(kind._by_type))
    monkeypatch.setitem(kind._kinds, "tide", TIDE)
    kind.register(TIDE)
    triggers.loads.cache_clear()
    yield
    triggers.loads.cache_clear()


def test_without_its_object_no_such_kind_is_known():
    with pytest.raises(triggers.TriggerError, match="'tide' is unknown"):
        triggers.build("tide")
    with pytest.raises(triggers.TriggerError, match="cannot be stored"):
        triggers.dumps(Tide())


def test_a_registered_kind_is_built_stored_described_and_normalized(tide):
    built = triggers.build("tide", minutes=30)
    assert triggers.next_runs(built, 2, NOW) == [
        NOW + timedelta(hours=12.5),
        NOW + timedelta(hours=25),
    ]
    assert triggers.dumps(built) == '{"minutes":30,"type":"tide"}'
    assert triggers.loads(triggers.dumps(built)).minutes == 30
    assert triggers.describe(built) == "Every high water, 30 minutes late"
    assert type(triggers.normalize(StockTide(20))) is Tide
    either = triggers.build("or", triggers=[{"type": "tide"}, {"type": "interval", "hours": 1}])
    assert triggers.next_runs(either, 1, NOW) == [NOW + timedelta(hours=1)]


def test_an_argument_at_fault_is_named(tide):
    with pytest.raises(triggers.TriggerError, match=r"minutes: must be from 0 to 59"):
        triggers.build("tide", minutes=70)
    with pytest.raises(triggers.TriggerError, match="did you mean minutes"):
        triggers.build("tide", minute=7)


def test_a_registered_kind_is_offered_in_the_form_and_read_back(tide):
    fields = schedule_fields()
    assert ("tide", "High water") in fields["schedule"].choices
    assert fields["tide_minutes"].max_value == 59
    cleaned = {"schedule": "tide", "tide_minutes": 40, "timezone": "UTC"}
    text = triggers.dumps(trigger_from(cleaned))
    assert text == '{"minutes":40,"type":"tide"}'
    assert initial_of(text)["tide_minutes"] == 40


@pytest.mark.django_db
def test_a_registered_kind_is_taken_by_add_job(tide):
    scheduler.add_job("tests.bodies:noop", "tide", minutes=10, id="tide")
    assert scheduler.get_job("tide").trigger.minutes == 10
