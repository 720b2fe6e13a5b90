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


def test_a_paused_cluster_claims_nothing_and_running_ones_end(a):
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    scheduler.pause(requested_by="alice")
    add(id="next")
    add(id="asked", trigger="interval", hours=1)
    scheduler.run_now("asked")
    bodies.gate.set()
    a.turn_until(lambda: runs(job_id="job", status=Status.SUCCEEDED))
    a.turn()
    assert runs(job_id="next") == []
    assert [run.status for run in runs(job_id="asked")] == [Status.QUEUED]
    assert a.leads
    scheduler.resume()
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 3)


def test_a_pause_between_a_leader_s_look_and_its_claim_is_kept(a):
    """The leader has looked, somebody pauses and is told so, and the leader claims."""
    a.lead()
    a.turn()
    add()
    leader = a.scheduler.loop.leader
    seen = a.do(lambda: leader._look(leader._capacity()))
    scheduler.pause()
    claimed = a.do(lambda: leader._claim_and_start(seen))
    assert (claimed.started, runs(), bodies.calls) == ([], [], [])


def test_a_pause_outlasts_its_leader(a, b):
    scheduler.pause()  # also before any scheduler ever ran
    a.lead()
    add()
    a.turn()
    a.end()
    b.lead()
    b.turn()
    assert runs() == []
    scheduler.resume()
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))


def test_what_fell_due_in_a_pause_follows_the_misfire_policy(a, database_clock):
    a.lead()
    begin = database_clock.now()
    every_minute = {"trigger": "interval", "minutes": 1, "start_date": begin}
    scheduler.add_job(bodies.note, id="coalesced", **every_minute)
    scheduler.add_job(bodies.note, id="missed", misfire_grace_time=1, **every_minute)
    scheduler.pause()
    database_clock.move(330)
    a.do(lambda: a.scheduler.loop.clock.sync("default"))
    a.turn()
    assert runs() == []
    scheduler.resume()
    a.turn_until(lambda: runs(job_id="coalesced", status=Status.SUCCEEDED))
    a.turn_until(lambda: runs(job_id="missed", status=Status.MISSED))


def test_a_paused_leader_still_resigns_when_it_is_asked(a):
    a.lead()
    scheduler.pause()
    Lease.objects.update(resign_requested=True)
    a.turn()
    assert not a.leads
