"""APScheduler's ``pause()``: nothing is claimed or started, and a leader's other duties go on."""

from __future__ import annotations

from scheduler import scheduler
from scheduler.models import Execution, Lease
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, runs


def test_a_paused_leader_claims_nothing_and_delivers_a_cancel(a):
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    a.do(a.scheduler.pause)
    add(id="next")
    scheduler.cancel(runs(job_id="job")[0].id)
    (run,) = a.scheduler.loop.dispatcher.in_flight.values()
    a.turn()
    assert run.cancel_requested
    assert runs(job_id="next") == []
    bodies.gate.set()
    a.do(a.scheduler.resume)
    a.turn_until(lambda: Execution.objects.filter(job_id="next", status=Status.SUCCEEDED))


def test_a_paused_leader_resigns_when_it_is_asked(a):
    a.lead()
    a.do(a.scheduler.pause)
    Lease.objects.update(resign_requested=True)
    a.turn()
    assert (a.leads, Lease.objects.get().holder) == (False, None)
