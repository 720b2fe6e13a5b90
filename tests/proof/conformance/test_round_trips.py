"""How often a leader's turn waits for the database: over a network, that is what a turn costs.

A proxy counts the questions that had to be answered before the client went on, BEGIN and COMMIT
among them. SQLite has no network: there the statements are counted. Nothing here takes the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from scheduler import scheduler
from scheduler.db.clock import DbNow
from scheduler.db.trips import Statement, later, send, transaction_in_few_trips
from scheduler.models import Execution, Job
from scheduler.models.execution import Status

from tests.proof.chaos.proxy import Loop

from . import bodies
from .peers import Peer

RENAME = Statement("UPDATE scheduler_job SET name = 'new' WHERE id = 'job'")


class Trips:
    """Counts those of all connections that go through it."""

    def __init__(self) -> None:
        self.total = 0

    def of(self, step: Callable[[], Any]) -> int:
        before = self.total
        step()
        return self.total - before

    async def listen(self, target: int) -> int:
        """Return the port at which it stands before ``target``."""

        async def accept(reader: Any, writer: Any) -> None:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
            pair = _Pair(self)
            await asyncio.gather(
                _pump(reader, server_writer, pair.asks),
                _pump(server_reader, writer, pair.answers),
            )

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])


class _Pair:
    def __init__(self, trips: Trips) -> None:
        self._trips, self._is_asking = trips, False

    def asks(self) -> None:
        self._trips.total += not self._is_asking
        self._is_asking = True

    def answers(self) -> None:
        self._is_asking = False


async def _pump(reader: Any, writer: Any, note: Callable[[], None]) -> None:
    try:
        while data := await reader.read(1 << 20):
            note()
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
def trips() -> Trips:
    return Trips()


@pytest.fixture
def leader(peer, trips, database_clock) -> Iterator[Peer]:
    """A peer that leads, seen through the counter. Its signs of life and chores are done, and the
    clock stands still: no run waits too long for a thread."""
    a = peer("a")
    wrapper = a.do(lambda: connections["default"])
    settings = wrapper.settings_dict
    if connection.vendor != "sqlite":
        port = Loop().run(trips.listen(int(settings["PORT"])))
        wrapper.settings_dict = {**settings, "HOST": "127.0.0.1", "PORT": str(port)}
        a.do(wrapper.close)
    a.lead()
    if connection.vendor == "sqlite":
        a.do(lambda: wrapper.connection.set_trace_callback(lambda _: _count(trips)))
    a.scheduler.loop._beat_at = a.scheduler.loop.leader._chores_at = float("inf")
    yield a
    wrapper.settings_dict = settings
    a.do(wrapper.close)


def _count(trips: Trips) -> None:
    trips.total += 1


def _make_due(a: Peer, count: int) -> None:
    """Jobs that owe one slot now and the next in half an hour. The lease is as good as new."""
    soon = DbNow.frozen + timedelta(minutes=30)
    for number in range(count):
        scheduler.add_job(bodies.wait, "interval", hours=1, id=f"job-{number}", start_date=soon)
    a.beat()
    a.scheduler.loop._beat_at = float("inf")
    Job.objects.update(next_run_time=DbNow.frozen)


def _looks(a: Peer) -> None:
    """A turn that knows nothing of the tables."""
    a.scheduler.loop.leader.invalidate()
    a.turn()


def _takes_results(a: Peer, count: int) -> None:
    """A turn that results have woken."""
    bodies.gate.set()
    a.wait_for_results(count)
    bodies.gate.clear()
    a.scheduler.loop.idle = True
    a.turn()


def test_an_idle_turn_is_one_round_trip(leader, trips):
    assert trips.of(lambda: _looks(leader)) == 1


# The fence with what is due; the claims with their commit. MySQL's driver commits by itself.
# SQLite: BEGIN, fence, open runs, due jobs, INSERT, UPDATE, COMMIT.
CLAIM = {"postgresql": 2, "mysql": 3, "sqlite": 7}


def test_one_due_job_is_claimed_with_two_round_trips_and_recorded_with_one(leader, trips, vendor):
    _make_due(leader, 1)
    assert trips.of(lambda: _looks(leader)) == 1 + CLAIM[vendor]
    record = 3 if vendor == "sqlite" else 1  # it writes with BEGIN and COMMIT
    assert trips.of(lambda: _takes_results(leader, 1)) == 1 + record
    assert Execution.objects.get().status == Status.SUCCEEDED


def test_a_hundred_due_jobs_are_claimed_with_no_more_round_trips_than_one(leader, trips, vendor):
    _make_due(leader, 100)
    queued = 1 if vendor == "sqlite" else 0  # what has no room is inserted by itself
    advanced = 99 if vendor == "sqlite" else 0  # each is moved on by itself
    assert trips.of(lambda: _looks(leader)) == 1 + CLAIM[vendor] + queued + advanced
    assert Execution.objects.filter(status=Status.RUNNING).count() == 10


def test_results_and_the_runs_that_follow_share_one_commit(leader, trips, vendor):
    if vendor == "sqlite":
        pytest.skip("counted on servers: SQLite writes each outcome with a statement of its own")
    _make_due(leader, 100)
    _looks(leader)
    another_head = 1  # the executor for processes has room: is anything queued for it?
    assert trips.of(lambda: _takes_results(leader, 10)) <= 1 + CLAIM[vendor] + another_head
    assert Execution.objects.filter(status=Status.SUCCEEDED).count() == 10
    assert Execution.objects.filter(status=Status.RUNNING).count() == 10


def test_what_was_put_off_is_sent_in_order_before_what_is_waited_for(db, trips):
    heard: list[int] = []
    with transaction_in_few_trips("default"):
        for number in (1, 2):
            later("default", Statement("SELECT %s", [number]), lambda a: heard.extend(*a.rows))
        assert heard == []
        ((three,),) = send("default", Statement("SELECT %s", [3]))[0].rows
    assert (heard, three) == ([1, 2], 3)


def test_statements_of_the_orm_come_after_what_was_put_off(db):
    scheduler.add_job(bodies.note, "interval", hours=1, id="job")
    with transaction_in_few_trips("default"):
        send("default", Statement("SELECT 1"))
        later("default", RENAME)
        assert Job.objects.get().name == "new"


def test_a_transaction_in_few_trips_that_fails_leaves_nothing(db):
    scheduler.add_job(bodies.note, "interval", hours=1, id="job")

    def fail() -> None:
        with transaction_in_few_trips("default"):
            later("default", RENAME)
            send("default", Statement("SELECT 1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Job.objects.get().name != "new"
    assert connection.get_autocommit()


def test_an_answer_that_refuses_undoes_what_was_sent_along(db):
    """As the fence does, also where nothing else was asked."""
    scheduler.add_job(bodies.note, "interval", hours=1, id="job")

    def refuse(answer: Any) -> None:
        raise PermissionError

    def ask() -> None:
        with transaction_in_few_trips("default"):
            later("default", Statement("SELECT 1"), refuse)
            later("default", RENAME)

    with pytest.raises(PermissionError):
        ask()
    assert Job.objects.get().name != "new"


def test_inside_another_transaction_a_few_trips_are_its_savepoint(db):
    scheduler.add_job(bodies.note, "interval", hours=1, id="job")

    def fail() -> None:
        with transaction.atomic():
            with transaction_in_few_trips("default"):
                later("default", RENAME)
            assert Job.objects.get().name == "new"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Job.objects.get().name != "new"


@pytest.mark.parametrize("option", [{"server_side_binding": True}, {"multi_statements": False}])
def test_where_the_settings_allow_one_statement_at_a_time_turns_do_the_same(
    peer, option, vendor, database_clock
):
    if ("server_side_binding" in option) != (vendor == "postgresql") or vendor == "sqlite":
        pytest.skip("an option of another database")
    a = peer("a")
    wrapper = a.do(lambda: connections["default"])
    settings = wrapper.settings_dict
    wrapper.settings_dict = {**settings, "OPTIONS": {**settings["OPTIONS"], **option}}
    a.do(wrapper.close)
    a.lead()
    bodies.gate.set()
    _make_due(a, 3)
    a.turn_until(lambda: Execution.objects.filter(status=Status.SUCCEEDED).count() == 3)
    wrapper.settings_dict = settings
    a.do(wrapper.close)
