"""Declarations into rows: what is in the way then, and goes away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.db import OperationalError
from django.utils import timezone
from scheduler import declarations, definitions, health, job, syncing
from scheduler.engine.clock import DbNow
from scheduler.models import Job

from tests import bodies
from tests.conformance.peers import Peer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("declared")]


def sync() -> syncing.Report:
    return declarations.sync("default")


def one() -> Job:
    return Job.objects.get()


@pytest.fixture
def held(monkeypatch):
    """Ids of rows that somebody holds locked for longer than the scheduler waits."""
    ids, locked = set(), definitions.locked

    def wait(job_id, using):
        if job_id in ids:
            raise OperationalError("canceling statement due to lock timeout")
        return locked(job_id, using)

    monkeypatch.setattr(definitions, "locked", wait)
    return ids


def test_what_somebody_holds_locked_is_brought_in_later(declared, held):
    job("interval", minutes=5, id="changed")(bodies.tick)
    job("interval", minutes=5, id="vanished")(bodies.noop)
    sync()
    declared()
    job("interval", minutes=6, id="changed")(bodies.tick)
    job("interval", minutes=1)(bodies.add)  # its argument is missing: no lock, no second attempt
    held |= {"changed", "vanished"}
    report = sync()
    assert report.postponed == ["changed", "vanished"]
    assert report.errors.keys() == {"changed", "vanished", "tests.add"}

    held.discard("vanished")
    syncing.sync_postponed("default", report)  # waited for one lock: that is enough
    assert report.postponed == ["vanished", "changed"]
    syncing.sync_postponed("default", report)
    assert (report.retired, report.postponed) == (["vanished"], ["changed"])
    held.clear()
    syncing.sync_postponed("default", report)

    assert (report.changed, report.postponed) == (["changed"], [])
    assert report.errors.keys() == {"tests.add"}
    assert "360" in Job.objects.get(id="changed").trigger


def test_the_leader_tries_again_with_its_chores_and_complains_meanwhile(held):
    job("interval", minutes=5)(bodies.tick)
    held.add("tests.tick")
    peer = Peer("a")
    try:
        peer.lead()
        peer.beat()
        assert "tests.tick: canceling" in health.read().reason
        held.clear()
        leader = peer.scheduler.loop.leader
        leader._sync_at = leader._chores_at = 0.0
        peer.turn()
        peer.beat()
        assert health.read().reason == ""
    finally:
        peer.end()
    assert one().id == "tests.tick"
    assert leader.complaint == ""


def test_a_vanished_job_that_somebody_removes_meanwhile_is_no_error(declared, monkeypatch):
    job("interval", minutes=5)(bodies.tick)
    sync()
    declared()
    locked = definitions.locked

    def too_late(job_id, using):
        Job.objects.all().delete()
        return locked(job_id, using)

    monkeypatch.setattr(definitions, "locked", too_late)
    report = sync()
    assert (report.retired, report.errors) == ([], {})


@pytest.mark.parametrize("later", [-1, 0, 660], ids="{} s".format)
def test_a_weekly_job_keeps_its_day_whatever_the_two_clocks_say(declared, monkeypatch, later):
    """The host's clock may be ahead of the database's, and leading may begin long after import."""
    job(IntervalTrigger(weeks=1), id="weekly")(bodies.tick)
    sync()
    due = timezone.now() + timedelta(hours=1)
    Job._base_manager.update(next_run_time=due)

    declared()
    job(IntervalTrigger(weeks=1), id="weekly", max_retries=3)(bodies.tick)
    monkeypatch.setattr(DbNow, "frozen", timezone.now() + timedelta(seconds=later))
    assert sync().changed == ["weekly"]

    assert (one().max_retries, one().next_run_time) == (3, due)
