"""A pickle from another system runs nothing when it is read."""

from __future__ import annotations

import pickle
from datetime import UTC, timedelta

import pytest
import pytz
from apscheduler.triggers.cron import CronTrigger
from scheduler.moving.unpickling import RefusedPickle, state_of

from tests import bodies


class Evil:
    def __reduce__(self):
        return eval, ("1 / 0",)


class Sneaky:
    def __reduce__(self):
        return getattr, (timedelta, "__init_subclass__")


def pickled(**state):
    return pickle.dumps({"func": "a:b", "trigger": None, **state})


@pytest.mark.parametrize("value", [Evil(), Sneaky(), bodies.Thing(), bodies.tick])
def test_what_is_neither_a_trigger_nor_a_plain_value_is_refused(value):
    with pytest.raises(RefusedPickle):
        state_of(pickled(args=[value]))


@pytest.mark.parametrize("data", [b"", b"garbage", pickle.dumps([1]), pickle.dumps({"func": "a"})])
def test_what_is_no_job_is_refused(data):
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        state_of(data)


def test_the_project_may_let_its_own_classes_in(settings):
    settings.APSCHEDULER_ALLOW_PICKLE = True
    assert isinstance(state_of(pickled(args=[bodies.Thing()]))["args"][0], bodies.Thing)


def test_zones_of_pytz_are_read_without_pytz():
    trigger = CronTrigger(hour=3, timezone="Europe/Berlin")
    trigger.timezone = pytz.timezone("Europe/Berlin")
    read = state_of(pickled(trigger=trigger, args=[pytz.utc]))
    assert read["trigger"].timezone.key == "Europe/Berlin"
    assert read["args"] == [UTC]
