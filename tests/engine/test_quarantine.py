"""Release from quarantine, while somebody else decides about the job."""

from __future__ import annotations

import logging

import pytest
from scheduler import scheduler
from scheduler.engine import quarantine
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("meanwhile", "released"), [("nothing", 1), ("paused", 0)])
def test_only_a_job_that_was_released_is_called_so(monkeypatch, caplog, meanwhile, released):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    Job.objects.update(state=JobState.QUARANTINED, last_error="gone")
    real = quarantine.load

    def load(job, executors):
        if meanwhile == "paused":
            Job.objects.update(state=JobState.PAUSED)
        return real(job, executors)

    monkeypatch.setattr(quarantine, "load", load)
    with caplog.at_level(logging.INFO, "scheduler.quarantine"):
        assert quarantine.release("default", ("default",)) == released

    assert ["released from quarantine" in line for line in caplog.messages] == [True] * released
    assert Change.objects.filter(action="released").count() == released
