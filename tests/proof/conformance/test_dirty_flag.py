"""What a leader remembers of its last look, and what makes it look again."""

from __future__ import annotations

import pytest
from django.db import connection
from scheduler import scheduler
from scheduler.conf import conf
from scheduler.models import Execution
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, runs


@pytest.fixture(autouse=True)
def _rare_looks(settings) -> None:
    """A slow machine looks no more often than these tests say."""
    settings.APSCHEDULER_POLL_INTERVAL = 5
    settings.APSCHEDULER_LEASE_RENEW = settings.APSCHEDULER_LEASE_MARGIN = 15
    settings.APSCHEDULER_LEASE_TTL = 60
    settings.APSCHEDULER_MAX_WORKERS = 1


@pytest.fixture
def idle(a):
    """A leader that has just looked, and found nothing."""
    a.lead()
    a.turn()
    return a


def quiet_turn(peer) -> None:
    """As the main loop's after it was woken by a result or by time."""
    peer.scheduler.loop.idle = True
    peer.turn()


def test_without_news_it_looks_again_after_the_poll_interval_and_not_before(idle, monotonic):
    add()
    quiet_turn(idle)
    assert runs() == []
    monotonic.forward(conf().POLL_INTERVAL)
    quiet_turn(idle)
    assert len(runs()) == 1


def test_a_turn_after_any_other_wake_up_polls_the_tables(idle):
    add()
    idle.turn()
    assert len(runs()) == 1


def test_a_slot_that_it_knows_of_is_claimed_without_another_look(a, database_clock, monotonic):
    now = database_clock.now()
    scheduler.add_job(bodies.note, "interval", hours=1, id="known", start_date=now)
    a.lead()
    a.turn_until(lambda: runs(status="succeeded"))
    a.turn()
    database_clock.move(3600)
    quiet_turn(a)
    assert len(runs()) == 2


def test_a_retry_that_is_due_at_once_needs_no_news(idle):
    add(bodies.boom, max_retries=1)
    idle.turn()
    while not [run for run in runs(attempt=2) if run.status != Status.QUEUED]:
        assert idle.do(lambda: idle.scheduler.wake.wait(10))
        quiet_turn(idle)


def test_a_long_queue_goes_on_by_results_alone(idle, monkeypatch):
    """Each quiet turn starts as many as there is room for, on the strength of one look."""
    idle.scheduler.wake.take_dirty()
    for number in range(40):
        add(bodies.note, id=f"job-{number}")
    idle.turn()
    poller = idle.scheduler.loop.leader.poller
    looks = []
    monkeypatch.setattr(
        poller, "poll", lambda names, real=poller.poll: looks.append(names) or real(names)
    )
    while len(runs(status="succeeded")) < 40:
        assert idle.do(lambda: idle.scheduler.wake.wait(10))
        assert not idle.scheduler.wake.take_dirty()
        quiet_turn(idle)
    assert len(bodies.calls) == 40
    assert len(looks) <= 5  # where the queue begins and ends; without memory one for each commit


def test_a_paused_job_is_not_claimed_although_it_was_seen_to_be_due(a, database_clock):
    """What is remembered only says that a turn is worth while; the rows decide."""
    now = database_clock.now()
    scheduler.add_job(bodies.note, "interval", hours=1, id="known", start_date=now)
    a.lead()
    a.turn_until(lambda: runs(status="succeeded"))
    a.turn()
    scheduler.pause_job("known")
    database_clock.move(3600)
    quiet_turn(a)
    assert len(runs()) == 1


def test_results_are_no_news_and_everything_else_is(idle):
    wake = idle.scheduler.wake
    wake.take_dirty()
    wake.nudge()
    assert wake.wait(0)
    assert not wake.take_dirty()
    idle.scheduler.wakeup()
    assert wake.wait(0)
    assert wake.take_dirty()
    assert not wake.take_dirty()


def test_a_notification_sets_the_dirty_flag_of_the_loop(idle):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL notifies")
    scheduler_ = idle.scheduler
    idle.do(lambda: scheduler_.wake.wait(0.1, scheduler_.loop.listener))
    scheduler_.wake.take_dirty()
    Execution.objects.filter(pk=0).update(reason="announces itself")
    assert idle.do(lambda: scheduler_.wake.wait(10, scheduler_.loop.listener))
    assert scheduler_.wake.take_dirty()
