"""A long queue costs a turn no more than a short one: the rows that it reads are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from scheduler.engine.ledger.capacity import Capacity
from scheduler.engine.poll import Poller
from scheduler.models import Execution
from scheduler.testing import scheduler_clock
from scheduler.testing.engine import InlineEngine

from tests.tasks import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db

SHORT, LONG = 50, 3_000
SLOTS = 4
MARGIN = 20


def work(do: Callable[[], Any]) -> int:
    """Count what the database does: rows that it reads, or instructions of SQLite."""
    if connection.vendor == "sqlite":
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        connection.connection.set_progress_handler(step, 1)
        try:
            do()
        finally:
            connection.connection.set_progress_handler(None, 0)
        return steps
    before = _rows_read()
    do()
    return _rows_read() - before


def _rows_read() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_stat_get_xact_tuples_returned(c) + pg_stat_get_xact_tuples_fetched(c)"
                " + (SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index"
                "    WHERE indrelid = c)"
                " FROM (SELECT 'scheduler_execution'::regclass::oid AS c) AS of_table"
            )
            return int(cursor.fetchone()[0])
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _, value in cursor.fetchall())


def enqueue(number: int, **options: Any) -> None:
    task = bodies.note.using(**options)
    task.get_backend().enqueue_many(task, [(("one",), {})] * number)


def analyze() -> None:
    """Give the planner its statistics; MariaDB and MySQL make their own, and would commit here."""
    if connection.vendor != "mysql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE scheduler_execution")


def costs(scheduler_clock: Any, do: Callable[[InlineEngine], Any]) -> tuple[int, int]:
    """What it costs beside a short and beside a long queue of the executor ``default``."""
    counts = []
    with InlineEngine("default", ["default", "processes"]) as engine:
        for number in (SHORT, LONG):
            enqueue(number)
            analyze()
            with transaction.atomic():
                do(engine)  # compiled and prepared before it is counted
                transaction.set_rollback(True)
            with transaction.atomic():
                counts.append(work(lambda: do(engine)))
                transaction.set_rollback(True)
    return counts[0], counts[1]


def room(**slots: int) -> Capacity:
    return Capacity(slots, Counter())


def test_the_head_of_the_queue_costs_the_same_whatever_waits_behind_it(scheduler_clock):
    def start(engine: InlineEngine) -> None:
        runs = engine.queue.start(scheduler_clock.now(), room(default=SLOTS), ["default"])
        assert len(runs) == SLOTS

    short, long = costs(scheduler_clock, start)
    assert long < 2 * short + MARGIN


def test_a_search_for_another_executor_does_not_read_past_the_backlog_of_one(scheduler_clock):
    def start(engine: InlineEngine) -> None:
        executors = ["default", "processes"]
        now = scheduler_clock.now()
        assert not engine.queue.start(now, room(default=0, processes=SLOTS), executors)

    short, long = costs(scheduler_clock, start)
    assert long < 2 * short + MARGIN


def test_an_idle_look_does_not_read_past_the_backlog_of_a_full_executor(scheduler_clock):
    def poll(engine: InlineEngine) -> None:
        seen = Poller(engine.lease).poll(("processes",))
        assert seen.queued == {"processes": None}

    short, long = costs(scheduler_clock, poll)
    assert long < 2 * short + MARGIN


def test_a_higher_priority_is_found_without_reading_the_backlog(scheduler_clock):
    def start(engine: InlineEngine) -> None:
        runs = engine.queue.start(scheduler_clock.now(), room(default=SLOTS), ["default"])
        assert [run.priority for run in runs] == [7] * SLOTS

    enqueue(SLOTS, priority=7)
    short, long = costs(scheduler_clock, start)
    assert long < 2 * short + MARGIN
    assert Execution.objects.queued().count() == SHORT + LONG + SLOTS
