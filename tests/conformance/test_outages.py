"""The database goes away and comes back: nobody exits, nothing is lost, nobody is judged for it."""

from __future__ import annotations

import threading

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from django.db import InternalError, connection
from scheduler import declarations
from scheduler.conf import conf
from scheduler.engine.outage import is_outage
from scheduler.models import Node, Term
from scheduler.models.execution import Status
from scheduler.models.node import Role
from scheduler.models.term import Cause

from . import bodies
from .breakage import away
from .jobs import add, runs


def test_an_outage_longer_than_the_lease_leaves_a_running_body_and_its_result(a, b, monotonic):
    a.lead()
    b.turn()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    with away(a, b):
        for _ in range(6):
            monotonic.forward(conf().LEASE_TTL / 2)
            assert a.turn() <= 1.0, "a retry that comes too late"
            assert b.turn() <= 1.0
        bodies.gate.set()
        a.wait_for_results()
        a.turn()
    b.turn()  # the first to come back may lead, and judges
    b.turn()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert (len(bodies.calls), len(runs())) == (1, 1)


def test_no_body_starts_during_an_outage_after_the_trust_has_ended(a, monotonic):
    a.lead()
    with away(a):
        a.turn()
        monotonic.forward(conf().LEASE_TTL - conf().LEASE_MARGIN)
        assert a.leads
        assert not a.lease.trusted(1)
    a.turn_until(lambda: a.lease.trusted(1))


def test_the_outage_is_said_while_it_lasts_and_forgotten_afterwards(a):
    a.lead()
    with away(a):
        a.turn()
        assert a.scheduler.loop.outage.last_error
    a.beat()
    assert a.scheduler.loop.outage.since is None
    a.beat()
    assert Node.objects.get(id=a.node_id).error == ""


def test_results_that_wait_for_the_database_are_all_written_when_it_is_back(a):
    a.lead()
    for number in range(5):
        add(bodies.wait, id=f"job-{number}")
    a.turn_until(lambda: len(bodies.calls) == 5)
    dispatcher = a.scheduler.loop.dispatcher
    with away(a):
        bodies.gate.set()
        a.wait_for_results(5)
        a.turn()
    a.turn()
    assert [row.status for row in runs()] == ["succeeded"] * 5
    assert not dispatcher.in_flight


def test_a_leader_that_stops_during_an_outage_hands_over_as_soon_as_the_database_is_back(a, b):
    """It drains a long body meanwhile, and must not renew a lease under which it claims nothing."""
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    with away(a):
        draining = a.begin(lambda: a.scheduler.loop.drain(lambda: 60.0))
        while a.scheduler.loop.role != Role.DRAINING:
            assert not draining.done()
    b.turn_until(lambda: b.leads)
    assert not draining.done()
    assert Term.objects.get(term=2).cause == Cause.RELEASED
    bodies.gate.set()
    draining.result(30)
    assert [row.status for row in runs()] == ["succeeded"]
    a.vanish()


def test_a_leader_that_cannot_begin_leaves_the_lease_to_another(a, b, monkeypatch):
    """Of two versions of the code, during a deploy, one cannot even read its declarations."""
    sync = declarations.sync

    def broken(*given):
        if threading.current_thread().name == "a":
            raise TypeError("half a deploy")
        return sync(*given)

    monkeypatch.setattr(declarations, "sync", broken)
    a.turn()
    assert not a.leads
    b.turn()
    assert b.leads


def test_a_full_disk_keeps_the_results_until_there_is_room(a, vendor):
    if vendor != "sqlite":
        pytest.skip("a server's disk cannot be filled from here")
    a.lead()
    add(bodies.talk)
    a.turn_until(lambda: bodies.calls)
    a.do(_no_page_more)
    bodies.gate.set()
    a.wait_for_results()
    a.turn()
    assert "full" in a.scheduler.loop.outage.last_error
    assert runs()[0].status == Status.RUNNING
    with away(a):
        pass  # a new connection, without the limit
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(runs()[0].log) > 50_000
    assert len(bodies.calls) == 1


def _no_page_more() -> None:
    """For this connection, the file may not grow beyond what it is."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1")


def test_a_coroutine_that_uses_the_orm_has_a_connection_again_after_the_database_cut_it(
    a, settings
):
    """Its statements run in the thread of its body, whose connection is looked after."""
    settings.APSCHEDULER_MAX_WORKERS = 1
    a.lead()
    add(bodies.count_jobs, id="before")
    a.turn_until(lambda: runs(job_id="before", status=Status.SUCCEEDED))
    cut_all_others()
    add(bodies.count_jobs, id="after")
    a.turn_until(lambda: runs(job_id="after", status__in=["succeeded", "failed"]))
    assert [(row.status, row.exception) for row in runs(job_id="after")] == [("succeeded", "")]


def cut_all_others() -> None:
    """As an administrator would, or a firewall; SQLite's file has no server that could do it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        elif connection.vendor == "mysql":
            cursor.execute(
                "SELECT id FROM information_schema.processlist"
                " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")


def test_postgresql_that_ended_an_idle_transaction_is_an_outage_and_no_fault_of_a_job():
    errors = pytest.importorskip("psycopg").errors
    ended = InternalError("terminating connection due to idle-in-transaction timeout")
    ended.__cause__ = errors.IdleInTransactionSessionTimeout()
    assert is_outage(ended)
    other = InternalError("current transaction is aborted")
    other.__cause__ = errors.InFailedSqlTransaction()
    assert not is_outage(other)


def test_a_job_store_of_another_kind_that_fails_ends_nothing(a):
    """APScheduler calls it in the loop's thread, and guards one of these calls."""
    broken = MemoryJobStore()
    broken.get_next_run_time = lambda: 1 / 0
    a.do(lambda: a.scheduler.add_jobstore(broken, "memory"))
    a.lead()
    assert a.turn() <= conf().LEASE_RENEW
    add()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))


def test_an_idle_loop_wakes_for_its_next_sign_of_life_whatever_the_intervals(a, settings):
    settings.APSCHEDULER_POLL_INTERVAL = settings.APSCHEDULER_STANDBY_INTERVAL = 100
    a.lead()
    a.beat()
    assert a.turn() <= conf().LEASE_RENEW
