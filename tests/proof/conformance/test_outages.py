"""The database goes away and comes back: nobody exits, nothing is lost, nobody is judged for it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from django.db import InternalError, OperationalError, connection
from scheduler.conf import conf
from scheduler.db.errors import is_outage
from scheduler.engine import leader
from scheduler.engine.outage import CALM_SECONDS, Outage
from scheduler.models import Node, Term
from scheduler.models.execution import Status
from scheduler.models.node import Role
from scheduler.models.term import Cause

from . import bodies
from .breakage import away, refusing_writes
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
    sync = leader.sync

    def broken(*given):
        if threading.current_thread().name == "a":
            raise TypeError("half a deploy")
        return sync(*given)

    monkeypatch.setattr(leader, "sync", broken)
    a.turn()
    assert not a.leads
    b.turn()
    assert b.leads


def test_a_full_disk_keeps_the_results_until_there_is_room(a, vendor):
    if vendor != "sqlite":
        pytest.skip("a server's disk cannot be filled from here")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # no page is left free by earlier tests
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


def test_a_server_that_takes_no_writes_is_one_outage_with_one_line_in_the_log(
    a, monotonic, vendor, caplog
):
    """A primary that was demoted, a read-only file: watchdogs must not end us for it."""
    a.lead()
    add()
    caplog.clear()
    loop = a.scheduler.loop
    with refusing_writes(a):
        for _ in range(5):
            a.turn()
            monotonic.forward(1.0)
            assert loop.outage.of_database
            assert loop.outage.since is not None
        assert [record.getMessage()[:13] for record in caplog.records] == ["A turn failed"]
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    (again,) = [text for text in caplog.messages if text.startswith("Turning again")]
    assert float(again.split()[3]) >= 5.0
    assert len(bodies.calls) == 1


def test_an_outage_that_flickers_is_one_outage_and_its_length_is_told(monotonic, caplog):
    """On a full disk the turns that write little succeed, and every other one fails."""
    outage = Outage(SimpleNamespace(close=lambda: None))
    for _ in range(30):
        outage.begin(OperationalError("database or disk is full"))
        monotonic.forward(1.0)
        outage.succeeded()
        monotonic.forward(1.0)
    monotonic.forward(CALM_SECONDS)
    outage.succeeded()
    assert [text.partition(";")[0] for text in caplog.messages] == [
        "A turn failed, trying again: database or disk is full",
        "Turning again after 1.0 s",
        "Turning again after 59.0 s",
    ]


def test_another_error_is_logged_once_with_its_traceback_and_not_with_each_turn(caplog):
    outage = Outage(SimpleNamespace(close=lambda: None))
    for error in (KeyError("a"), KeyError("a"), TypeError("b"), TypeError("b")):
        outage.begin(error)
    assert [record.exc_info[0] for record in caplog.records] == [KeyError, TypeError]


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
