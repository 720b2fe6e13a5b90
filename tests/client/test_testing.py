"""``scheduler.testing``: what projects test their own jobs with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from scheduler import current_run, scheduler, testing, triggers
from scheduler.models import Execution, Job
from scheduler.models.execution import Kind, Status
from scheduler.models.job import JobState
from scheduler.testing import (
    assert_not_scheduled,
    assert_scheduled,
    drain,
    frozen_clock,
    run_due,
    scheduler_clock,  # noqa: F401  (a fixture)
    sync_declared,
)

from tests import bodies

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
RUNS: list[object] = []


def greet(name: str = "world") -> str:
    """A body that works with the test's own data."""
    RUNS.append(current_run())
    return User.objects.get(username=name).username


def count_to_three() -> None:
    RUNS.append(None)
    if len(RUNS) < 3:
        raise ValueError(len(RUNS))


def again() -> None:
    scheduler.run_now("again")


@pytest.fixture(autouse=True)
def nothing_ran():
    RUNS.clear()


@pytest.mark.django_db
def test_what_is_due_runs_in_the_tests_transaction_at_the_clocks_time(scheduler_clock):  # noqa: F811
    scheduler_clock.set(NOON)
    User.objects.create(username="ann")
    scheduler.add_job(greet, "date", run_date=NOON + timedelta(hours=1), args=["ann"], id="g")

    assert run_due() == []
    assert scheduler_clock.tick(hours=1) == NOON + timedelta(hours=1)
    (ran,) = run_due()

    assert (ran.status, ran.return_value) == (Status.SUCCEEDED, '"ann"')
    assert ran.started_at == ran.finished_at == NOON + timedelta(hours=1)
    assert RUNS[0].job_id == "g"
    assert run_due() == []
    assert connection.in_atomic_block


@pytest.mark.django_db
def test_an_interval_runs_once_a_step_and_tells_what_it_left_out(scheduler_clock):  # noqa: F811
    scheduler_clock.set(NOON)
    scheduler.add_job(bodies.noop, "interval", minutes=10, id="often")
    for _ in range(3):
        scheduler_clock.tick(minutes=10)
        assert [row.status for row in run_due()] == [Status.SUCCEEDED]

    scheduler_clock.tick(hours=1)
    statuses = {row.status: row.slots for row in run_due()}
    assert statuses == {Status.SUCCEEDED: 1, Status.SKIPPED: 5}


@pytest.mark.django_db
def test_what_did_not_run_is_told_by_a_database_that_returns_no_rows(monkeypatch):
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    with frozen_clock(NOON) as clock:
        scheduler.add_job(bodies.noop, "date", run_date=NOON, id="late", misfire_grace_time=5)
        clock.tick(hours=1)
        assert [row.status for row in run_due()] == [Status.MISSED]


@pytest.mark.django_db
def test_a_trigger_that_was_updated_in_the_database_is_planned(scheduler_clock):  # noqa: F811
    scheduler_clock.set(NOON)
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    often = triggers.dumps(triggers.build("interval", minutes=1, start_date=NOON))
    Job.objects.update(trigger=often)

    assert [row.scheduled_run_time for row in run_due()] == [NOON]
    scheduler_clock.tick(minutes=1)
    assert [row.status for row in run_due()] == [Status.SUCCEEDED]


@pytest.mark.django_db
def test_drain_moves_on_to_each_retry():
    scheduler.add_job(count_to_three, "date", max_retries=5, retry_delay=3600, executor="processes")
    assert [row.status for row in run_due()] == [Status.FAILED]

    more = drain()

    assert [row.status for row in more] == [Status.FAILED, Status.SUCCEEDED]
    assert [row.kind for row in more] == [Kind.RETRY, Kind.RETRY]
    assert not Execution.objects.queued().exists()
    assert drain() == []


@pytest.mark.django_db
def test_what_was_asked_for_is_run():
    scheduler.add_job(bodies.add, "interval", hours=1, args=[1], id="sum")
    scheduler.run_now("sum", kwargs={"b": 2})
    assert [row.return_value for row in run_due()] == ["3"]


@pytest.mark.django_db
def test_a_job_without_end_is_named(monkeypatch):
    monkeypatch.setattr(testing, "MANY", 20)
    scheduler.add_job(again, "date", id="again", run_date=NOON)
    scheduler.run_now("again")
    with pytest.raises(RuntimeError, match="'again'"):
        run_due()


@pytest.mark.django_db
def test_assert_scheduled_finds_the_job_or_says_what_there_is():
    with frozen_clock(NOON):
        scheduler.add_job(bodies.add, "date", run_date=NOON, args=[1], kwargs={"b": (2,)}, id="a")
        scheduler.add_job(bodies.noop, "interval", hours=1, id="b", next_run_time=None)

    assert assert_scheduled("a").id == "a"
    soon = NOON + timedelta(seconds=5)
    assert_scheduled(bodies.add, at=soon, within=timedelta(seconds=5), args=[1], kwargs={"b": (2,)})
    assert_scheduled("b", state=JobState.PAUSED)
    assert_not_scheduled(bodies.tick)
    for wrong in ({"at": soon}, {"args": [2]}, {"kwargs": {}}, {"state": JobState.PAUSED}):
        with pytest.raises(AssertionError, match="a: active, next 2030-05-01"):
            assert_scheduled(bodies.add, **wrong)
    with pytest.raises(AssertionError, match="b: paused"):
        assert_not_scheduled("b")


@pytest.mark.django_db
def test_the_clock_goes_on_after_the_test():
    with frozen_clock(NOON) as clock:
        with frozen_clock(NOON + timedelta(days=1)):
            pass
        assert clock.now() == NOON
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.django_db
def test_declared_jobs_come_in_on_request():
    report = sync_declared()
    assert report.errors == {}


class InATestCase(TestCase):
    def test_it_works_without_pytest_too(self):
        with frozen_clock(NOON) as clock:
            scheduler.add_job(bodies.add, "date", run_date=NOON, args=[4], id="a")
            clock.tick(timedelta(seconds=1))
            assert [row.return_value for row in run_due()] == ["4"]
