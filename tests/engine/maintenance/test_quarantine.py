"""Release from quarantine."""

from __future__ import annotations

import logging

import pytest
from scheduler import scheduler
from scheduler.engine.maintenance import quarantine
from scheduler.engine.maintenance.quarantine import Quarantine
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests import bodies

pytestmark = pytest.mark.django_db


def rest(*ids: str, broken: str) -> None:
    for id in ids:
        scheduler.add_job(bodies.noop, "interval", hours=1, id=id)
    Job.objects.update(state=JobState.QUARANTINED, last_error="gone")
    Job.objects.filter(id=broken).update(func="tests.bodies:no_such_function")


def test_only_a_job_that_can_be_loaded_is_released_and_called_so(caplog):
    rest("broken", "fine", broken="broken")
    with caplog.at_level(logging.INFO, "scheduler.quarantine"):
        assert not Quarantine("default").release(("default",))

    assert ["'fine'" in line for line in caplog.messages] == [True]
    assert Change.objects.get(action="released").job_id == "fine"
    broken = Job.objects.get(id="broken")
    assert broken.state == JobState.QUARANTINED
    assert "no_such_function" in broken.last_error


def test_one_turn_tries_a_page_and_the_next_one_goes_on_behind_it(monkeypatch):
    monkeypatch.setattr(quarantine, "MAX_JOBS_PER_TURN", 1)
    rest("a", "b", "c", broken="a")
    part = Quarantine("default")
    assert [part.release(("default",)) for _ in range(4)] == [True, True, True, False]
    assert Change.objects.filter(action="released").count() == 2
    assert part.release(("default",))  # from the start: it may be loaded by now
