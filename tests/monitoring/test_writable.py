"""While the database takes no writes, nobody is told to start what is running."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from scheduler.models import Lease
from scheduler.monitoring import health
from scheduler.monitoring.writable import TIMEOUTS, find_obstacle

from tests.monitoring import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def silence():
    """The last heartbeats are a minute old: nobody could write since."""
    with rows.database_clock():
        rows.leader(at=rows.NOON - timedelta(minutes=1))
        yield


@pytest.fixture
def locked():
    """Somebody else's transaction has written the lease's row, and is open."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Lease.objects.update(beat=F("beat"))
            held.set()
            release.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    yield
    release.set()
    thread.join()


READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
}


@pytest.fixture
def read_only():
    begin, end = READ_ONLY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(begin)
    yield
    with connection.cursor() as cursor:
        cursor.execute(end)


def lock_timeout() -> object:
    with connection.cursor() as cursor:
        cursor.execute(TIMEOUTS[connection.vendor][0])
        return cursor.fetchone()[0]


def test_a_lock_that_somebody_holds_is_named_and_no_start_is_asked_for(locked):
    before = lock_timeout()
    reason = health.read().reason
    assert "cannot be written, another transaction keeps it locked" in reason
    assert "start manage.py" not in reason
    assert lock_timeout() == before


def test_a_read_only_database_is_named(read_only):
    reason = health.read().reason
    assert "cannot be written, it is read-only" in reason
    assert "start manage.py" not in reason


def test_a_read_only_database_in_which_nobody_ever_led_is_named(read_only):
    unread = Lease(term=0)
    reason = health._no_leader(replace(health.read().cluster, lease=unread), "default")
    assert "no scheduler has ever run: the database cannot be written, it is read-only" in reason


def test_a_probe_leaves_nothing_on_a_session_that_a_pooler_gives_to_others():
    if connection.vendor != "postgresql":
        pytest.skip("poolers in transaction mode are PostgreSQL's")
    with CaptureQueriesContext(connection) as seen:
        find_obstacle("default")
    said = [query["sql"] for query in seen if "lock_timeout =" in query["sql"]]
    assert said
    assert all(sql.startswith("SET LOCAL") for sql in said)


def test_with_a_database_that_takes_writes_a_start_is_asked_for():
    assert find_obstacle("default") == ""
    assert "no scheduler is running: start manage.py runapscheduler" in health.read().reason


def test_while_somebody_leads_nothing_is_written():
    Lease.objects.update(expires_at=rows.NOON + timedelta(seconds=6))
    with connection.execute_wrapper(_no_writes):
        assert health.read().cluster.led


def _no_writes(execute, sql, *args):
    assert not sql.startswith(("INSERT", "UPDATE")), sql
    return execute(sql, *args)
