"""Declarations into rows: what is in the way then, and goes away."""

from __future__ import annotations

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.db import OperationalError
from scheduler import declarations, definitions, health, job, syncing
from scheduler.engine.clock import DbNow, db_now
from scheduler.models import Job

from tests import bodies
from tests.client.test_declarations import declared, one, sync  # noqa: F401
from tests.conformance.peers import Peer

pytestmark = pytest.mark.django_db(transaction=True)


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
