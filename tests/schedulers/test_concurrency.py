"""Edits and turns at the same time: neither undoes the other."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from scheduler import scheduler
from scheduler.models import Execution, Job
from scheduler.models.job import JobState
from scheduler.testing.engine import InlineEngine

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)
DUE = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def engine():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    Job.objects.update(next_run_time=DUE)
    with InlineEngine("default", ["default"]) as engine:
        engine.clock.sync("default")
        yield engine


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("edit", "holds"),
    [
        (lambda: scheduler.pause_job("a"), lambda row: row.state == JobState.PAUSED),
        (lambda: scheduler.modify_job("a", name="n"), lambda row: row.name == "n"),
        (
            lambda: scheduler.reschedule_job("a", trigger="interval", days=9),
            lambda row: row.next_run_time > DUE + timedelta(days=8),
        ),
        (lambda: scheduler.remove_job("a"), lambda row: row is None),
    ],
    ids=["pause", "modify", "reschedule", "remove"],
)
def test_an_edit_made_while_a_turn_runs_stands(engine, edit, holds):
    with transaction.atomic():
        engine.lease.hold()
        claimed = engine.claims.all(engine.clock.now(), ["default"])
        thread = in_thread(edit)
        thread.join(0.3)  # on most databases it waits for the turn's commit
    thread.join(20)

    assert not thread.is_alive()
    assert (claimed.due, claimed.queued) == (1, 1)
    assert Execution.objects.count() == 1
    assert holds(Job.objects.first())


def test_a_turn_passes_over_a_row_that_a_transaction_holds(engine):
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip(f"{connection.vendor} has one writer: the turn waits for it")
    scheduler.add_job(bodies.noop, "interval", hours=1, id="b")
    Job.objects.update(next_run_time=DUE)
    edited, turned = threading.Event(), threading.Event()

    def edit():
        with transaction.atomic():
            scheduler.pause_job("a")
            edited.set()
            assert turned.wait(20)

    thread = in_thread(edit)
    assert edited.wait(20)
    engine.turn()
    turned.set()
    thread.join(20)

    assert [row.job_id for row in Execution.objects.all()] == ["b"]
    assert Job.objects.get(id="a").state == JobState.PAUSED
    assert engine.turn() == []


def test_two_edits_of_different_columns_both_stand():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    first = scheduler.get_job("a")
    scheduler.modify_job("a", max_instances=4)
    first._modify(name="n")
    scheduler._jobstores["default"].update_job(first)
    row = Job.objects.get()
    assert (row.name, row.max_instances) == ("n", 4)


def test_one_of_many_that_add_the_same_id_at_once_wins():
    outcomes, together = [], threading.Barrier(4)

    def add():
        together.wait()
        try:
            scheduler.add_job(bodies.noop, "interval", hours=1, id="same")
            outcomes.append("added")
        except KeyError as error:
            outcomes.append(type(error).__name__)

    threads = [in_thread(add) for _ in range(4)]
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["JobExistsError"] * 3 + ["added"]
