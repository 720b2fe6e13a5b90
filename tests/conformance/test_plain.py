"""APScheduler's own scheduler on our job store."""

from __future__ import annotations

from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Change

from .jobs import every_second, runs, second


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
