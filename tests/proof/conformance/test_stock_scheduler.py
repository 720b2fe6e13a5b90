"""APScheduler's own scheduler on our job store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from apscheduler.job import Job
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING
from apscheduler.triggers.date import DateTrigger
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


def test_a_store_of_apschedulers_own_beside_ours_brings_no_way_around_the_ledger(a, database_clock):
    """APScheduler's loop asks every store what is due on the host's clock, here an hour ahead."""
    seen = threading.Event()
    a.scheduler.add_jobstore(MemoryJobStore(), "memory")
    a.lead()
    now = datetime.now(UTC)
    database_clock.set(now - timedelta(hours=1))
    slot = second(now, -60)
    job = every_second(slot)
    a.scheduler._jobstores["memory"].add_job(_job_of_this_process(a.scheduler, seen.set))
    a.turn()
    assert seen.wait(30), "a job of the other store did not run"
    job.refresh_from_db()
    assert (job.next_run_time, bodies.calls, runs()) == (slot, [], [])
    database_clock.set(slot)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))


def _job_of_this_process(scheduler, func):
    job = Job(scheduler, id="memory", func=func, trigger=DateTrigger(), executor="default", args=(),
              kwargs={}, misfire_grace_time=None, coalesce=True, max_instances=1, name="memory",
              next_run_time=datetime.now(UTC))  # fmt: skip
    job._jobstore_alias = "memory"
    return job
