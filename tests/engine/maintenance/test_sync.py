"""Declarations into rows: what is in the way then, and goes away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from scheduler import job
from scheduler.db.clock import DbNow
from scheduler.definitions import changes, declarations
from scheduler.engine.leadership import lease as engine_lease
from scheduler.engine.maintenance.sync import SyncReport, sync, sync_postponed
from scheduler.models import Job
from scheduler.models import Lease as LeaseRow
from scheduler.models.job import JobState
from scheduler.monitoring import health

from tests import bodies
from tests.proof.conformance.peers import Peer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("declared")]


def sync_now() -> SyncReport:
    return sync("default")


def one() -> Job:
    return Job.objects.get()


@pytest.fixture
def held(monkeypatch):
    """Ids of rows that somebody holds locked for longer than the scheduler waits."""
    ids, locked = set(), changes.locked_if_any

    def wait(job_id, using):
        if job_id in ids:
            raise OperationalError("canceling statement due to lock timeout")
        return locked(job_id, using)

    monkeypatch.setattr(changes, "locked_if_any", wait)
    return ids


def test_what_somebody_holds_locked_is_brought_in_later(declared, held):
    job("interval", minutes=5, id="changed")(bodies.tick)
    job("interval", minutes=5, id="vanished")(bodies.noop)
    sync_now()
    declared()
    job("interval", minutes=6, id="changed")(bodies.tick)
    job("interval", minutes=1)(bodies.add)  # its argument is missing: no lock, no second attempt
    held |= {"changed", "vanished"}
    report = sync_now()
    assert report.postponed == ["changed", "vanished"]
    assert report.errors.keys() == {"changed", "vanished", "tests.add"}

    held.discard("vanished")
    sync_postponed("default", report)  # waited for one lock: that is enough
    assert report.postponed == ["vanished", "changed"]
    sync_postponed("default", report)
    assert (report.retired, report.postponed) == (["vanished"], ["changed"])
    held.clear()
    sync_postponed("default", report)

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
    assert leader.error == ""


def test_a_vanished_job_that_somebody_removes_meanwhile_is_no_error(declared, monkeypatch):
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    declared()
    locked = changes.locked_if_any

    def too_late(job_id, using):
        Job.objects.all().delete()
        return locked(job_id, using)

    monkeypatch.setattr(changes, "locked_if_any", too_late)
    report = sync_now()
    assert (report.retired, report.errors) == ([], {})


@pytest.mark.parametrize("later", [-1, 0, 660], ids="{} s".format)
def test_a_weekly_job_keeps_its_day_whatever_the_two_clocks_say(declared, monkeypatch, later):
    """The host's clock may be ahead of the database's, and leading may begin long after import."""
    job(IntervalTrigger(weeks=1), id="weekly")(bodies.tick)
    sync_now()
    due = timezone.now() + timedelta(hours=1)
    Job._base_manager.update(next_run_time=due)

    declared()
    job(IntervalTrigger(weeks=1), id="weekly", max_retries=3)(bodies.tick)
    monkeypatch.setattr(DbNow, "frozen", timezone.now() + timedelta(seconds=later))
    assert sync_now().changed == ["weekly"]

    assert (one().max_retries, one().next_run_time) == (3, due)


def test_what_is_as_the_code_says_is_not_even_locked(held):
    """Of many rows that a user holds each would be waited for: together longer than the lease."""
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    held.add("tests.tick")
    assert sync_now() == SyncReport()


@pytest.mark.parametrize("frozen", ["before", "after"])
def test_an_old_process_that_froze_in_its_sync_does_not_undo_what_the_new_code_declared(
    monkeypatch, frozen
):
    """Rolling deploy: the old one won the lease and froze before or after it renewed; meanwhile the
    new one led."""
    sync_now()
    old = Peer("old")
    renew = engine_lease.LeaseHolder.renew

    def another_leads():
        Job.objects.create(id="new", func="x:y", trigger="{}", declared=True)
        LeaseRow.objects.update(holder=None, term=F("term") + 1)

    def freeze(lease):
        monkeypatch.setattr(engine_lease.LeaseHolder, "renew", renew)
        renewed = frozen == "before" or renew(lease)
        another_leads()
        return renewed and (frozen == "after" or renew(lease))

    job("interval", minutes=5, id="old")(bodies.tick)
    monkeypatch.setattr(engine_lease.LeaseHolder, "renew", freeze)
    try:
        old.turn()
        assert not old.leads
    finally:
        old.end()
    assert [(row.id, row.state) for row in Job.objects.all()] == [("new", JobState.ACTIVE)]


def test_the_lease_is_renewed_before_each_row_that_may_be_waited_for():
    for number in range(3):
        job("interval", minutes=5, id=f"job-{number}")(bodies.tick)
    peer = Peer("a")
    try:
        peer.turn()
        assert LeaseRow.objects.get().beat == 1 + 3
    finally:
        peer.end()


def test_jobs_py_is_imported_before_leading_for_that_may_take_longer_than_the_lease(monkeypatch):
    seen = []
    monkeypatch.setattr(
        declarations,
        "autodiscover",
        lambda: seen.append(LeaseRow.objects.filter(holder=None).count()),
    )
    LeaseRow.objects.get_or_create(pk=1)
    peer = Peer("a")
    try:
        peer.lead()
    finally:
        peer.end()
    assert seen[0] == 1
