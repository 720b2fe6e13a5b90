"""Release from quarantine."""

from __future__ import annotations

import logging

import pytest
from scheduler import scheduler
from scheduler.engine.quarantine import release
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests import bodies

pytestmark = pytest.mark.django_db


def test_only_a_job_that_can_be_loaded_is_released_and_called_so(caplog):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="fine")
    scheduler.add_job(bodies.noop, "interval", hours=1, id="broken")
    Job.objects.update(state=JobState.QUARANTINED, last_error="gone")
    Job.objects.filter(id="broken").update(func="tests.bodies:no_such_function")

    with caplog.at_level(logging.INFO, "scheduler.quarantine"):
        assert release("default", ("default",)) == 1

    assert ["'fine'" in line for line in caplog.messages] == [True]
    assert Change.objects.get(action="released").job_id == "fine"
    broken = Job.objects.get(id="broken")
    assert broken.state == JobState.QUARANTINED
    assert "no_such_function" in broken.last_error
