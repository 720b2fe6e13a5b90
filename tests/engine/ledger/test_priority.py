"""Of what is due, a higher priority starts first, also where more is due than has room."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from scheduler.engine.ledger.capacity import Capacity
from scheduler.engine.ledger.queue import Queue
from scheduler.models import Execution
from scheduler.testing import scheduler_clock
from scheduler.testing.engine import InlineEngine

from tests.tasks import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db


def start(now, slots: int) -> list[int]:
    with InlineEngine("default", ["default"]) as engine, transaction.atomic():
        return [run.priority for run in Queue(engine.lease).start(now, room(slots), ["default"])]


def room(slots: int) -> Capacity:
    return Capacity({"default": slots}, Counter())


def test_one_that_comes_late_starts_before_a_backlog(scheduler_clock):
    for _ in range(20):
        bodies.note.enqueue("early")
    now = scheduler_clock.tick(minutes=1)
    for priority in (5, 90, -3, 5):
        bodies.note.using(priority=priority).enqueue("late")
    assert start(now, 4) == [90, 5, 5, 0]


def test_one_whose_time_has_not_come_keeps_nobody_waiting(scheduler_clock):
    later = scheduler_clock.now() + timedelta(days=1)
    for _ in range(20):
        bodies.note.using(priority=100, run_after=later).enqueue("later")
        bodies.note.enqueue("now")
    assert start(scheduler_clock.now(), 4) == [0] * 4


def test_a_backlog_of_one_priority_costs_one_query_and_one_update(scheduler_clock):
    for _ in range(20):
        bodies.note.enqueue("now")
    with InlineEngine("default", ["default"]) as engine, transaction.atomic():
        queue = Queue(engine.lease)
        with CaptureQueriesContext(connection) as queries:
            started = queue.start(scheduler_clock.now(), room(4), ["default"])
    assert len(started) == 4
    assert len(queries) == 2, [query["sql"] for query in queries]
    assert Execution.objects.running().count() == 4
