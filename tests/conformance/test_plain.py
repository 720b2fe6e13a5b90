"""APScheduler's own scheduler on our job store."""

from __future__ import annotations

import threading
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING
from scheduler import signals
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Change, Term
from scheduler.models.execution import Status
from scheduler.models.term import Cause

from . import bodies
from .jobs import add, every_second, runs, second


def test_a_turn_that_waited_for_the_shutdown_moves_no_job_on(database_clock):
    """The shutdown holds the lock while it waits for bodies, and the loop waits for the lock: its
    turn comes when the store and the executors are gone."""
    scheduler, store = BackgroundScheduler(timezone=UTC), DjangoJobStore()
    scheduler.add_jobstore(store, "default")
    scheduler.start(paused=True)
    slot = second(database_clock.now(), -60)
    job = every_second(slot)
    changes = Change.objects.count()
    scheduler.shutdown()
    scheduler.state = STATE_RUNNING  # as it was when the turn began
    scheduler._process_jobs()
    job.refresh_from_db()
    assert job.next_run_time == slot
    assert (runs(), Change.objects.count()) == ([], changes)
    assert store.get_next_run_time() is None


def test_it_hands_over_before_it_waits_for_its_bodies(b):
    scheduler, leads = BackgroundScheduler(timezone=UTC), threading.Event()
    scheduler.add_jobstore(DjangoJobStore(), "default")
    signals.became_leader.connect(lambda **_: leads.set(), weak=False, dispatch_uid="plain")
    scheduler.start()
    assert leads.wait(30)
    add(bodies.wait)
    b.turn_until(lambda: bodies.calls)
    assert not b.leads
    stopping = threading.Thread(target=scheduler.shutdown)
    stopping.start()
    b.turn_until(lambda: b.leads)
    assert stopping.is_alive()
    assert Term.objects.get(term=2).cause == Cause.RELEASED
    bodies.gate.set()
    stopping.join(30)
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(runs()) == 1
    signals.became_leader.disconnect(dispatch_uid="plain")
