"""Clocks that are wrong, set, or in another zone."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.db.backends.signals import connection_created
from scheduler.conf import conf
from scheduler.db.clock import ClusterClock, DbNow, db_now
from scheduler.models import Lease
from scheduler.models.execution import Status

from . import bodies
from .jobs import every_second, runs, second


@pytest.fixture
def elsewhere(vendor):
    """The server, and this host, live in another time zone."""
    _live_in("Asia/Kolkata", "+05:30", vendor)
    yield
    _live_in("UTC", "+00:00", vendor)


def _live_in(zone: str, offset: str, vendor: str) -> None:
    os.environ["TZ"] = zone
    time.tzset()
    connection_created.disconnect(dispatch_uid="zone")
    if vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER DATABASE {connection.settings_dict['NAME']} SET timezone = '{zone}'"
            )
    elif vendor == "mysql":  # what a server's default-time-zone does to each session

        def move(sender, connection, **_):
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION time_zone = %s", [offset])

        connection_created.connect(move, weak=False, dispatch_uid="zone")
    connections.close_all()


def test_a_server_in_another_zone_reads_and_writes_the_same_moments(elsewhere, a):
    assert abs(db_now("default") - datetime.now(UTC)) < timedelta(seconds=5)
    every_second(datetime.now(UTC).replace(microsecond=0))
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    row = Lease.objects.annotate(now=DbNow()).get()
    assert timedelta(0) < row.expires_at - row.now <= timedelta(seconds=conf().LEASE_TTL)
    (run,) = runs(status=Status.SUCCEEDED)[:1]
    assert abs(run.started_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_the_cluster_clock_follows_the_database_and_not_this_hosts_wall_clock(
    monkeypatch, monotonic
):
    clock = ClusterClock()
    clock.sync("default")

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr("scheduler.db.clock.datetime", Wrong)
    monotonic.forward(100)
    assert abs(clock.now() - db_now("default") - timedelta(seconds=100)) < timedelta(seconds=1)


def test_a_clock_set_back_runs_no_slot_twice_and_keeps_the_lease(a, b, database_clock, monotonic):
    start = database_clock.now()
    every_second(start)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    database_clock.move(-3600)
    for _ in range(4):
        monotonic.forward(conf().LEASE_RENEW)
        a.turn()
        b.turn()
    assert (a.leads, b.leads) == (True, False)
    assert len(bodies.calls) == 1
    database_clock.set(second(start, 1))
    a.turn_until(lambda: len(bodies.calls) == 2)
    assert [row.scheduled_run_time for row in runs()] == [start, second(start, 1)]


def test_a_clock_set_back_blocks_no_takeover(a, b, database_clock, monotonic):
    a.lead()
    a.vanish()
    database_clock.move(-86400)
    b.turn()
    for _ in range(10):
        monotonic.forward(1)
        b.turn()
    assert b.leads


def test_a_clock_set_forward_owes_the_hour_and_explains_it(a, database_clock):
    start = database_clock.now()
    every_second(start)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    database_clock.move(3600)
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 2)
    assert sum(row.slots for row in runs()) == 3601
    assert len(bodies.calls) == 2


def test_a_clock_set_forward_costs_at_most_a_change_of_leader(a, b, database_clock):
    """Expired says the clock, to everybody at once. The fence decides, not the clock."""
    a.lead()
    every_second(database_clock.now(), func=bodies.note)
    database_clock.move(3600)
    b.turn()
    a.turn()
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert (a.leads, b.leads) == (False, True)
    assert len(bodies.calls) == 1


def test_the_statements_clock_moves_within_a_transaction():
    """Not the time at which the transaction began: a renewal after a lock wait would be stale."""
    from django.db import transaction

    with transaction.atomic():
        first = db_now("default")
        end = time.monotonic() + 5
        while db_now("default") == first:
            assert time.monotonic() < end, f"{connection.vendor}'s clock stands still"


@pytest.mark.parametrize(
    ("jump", "said"),
    [(-3600, "set back by 3600 s"), (3600, "set forward by 3600 s"), (-4, ""), (4, "")],
)
def test_a_jump_of_the_database_s_clock_is_logged_once(database_clock, caplog, jump, said):
    clock = ClusterClock()
    database_clock.now()
    clock.sync("default")
    database_clock.move(jump)
    clock.sync("default")
    clock.sync("default")
    assert [message for message in caplog.messages if "clock was set" in message] == [
        message for message in caplog.messages if said and said in message
    ]
    assert len(caplog.messages) == (1 if said else 0)
