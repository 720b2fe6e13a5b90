"""The look for changed triggers, which reads all jobs."""

from __future__ import annotations

import pytest
from scheduler import scheduler
from scheduler.engine import peek
from scheduler.engine.lease import Lease
from scheduler.engine.node import Self
from scheduler.engine.peek import SCAN_SHARE, Lookout
from scheduler.models import Job

from tests import bodies

pytestmark = pytest.mark.django_db


def test_where_it_takes_long_it_is_taken_so_much_more_rarely(monkeypatch):
    lease = Lease(Self("default"))
    lease.node.beat("leader", "poll", "")
    assert lease.acquire()
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    Job.objects.update(planned_trigger="another")
    now, took = 1000.0, 1.0

    def clock() -> float:
        """Asked before and after each statement that scans."""
        nonlocal now
        now += took
        return now

    monkeypatch.setattr(peek, "monotonic", clock)
    lookout = Lookout(lease)
    assert lookout.peek(("default",)).rescheduled
    now += SCAN_SHARE / 2
    assert not lookout.peek(("default",)).rescheduled
    now += SCAN_SHARE / 2
    assert lookout.peek(("default",)).rescheduled
