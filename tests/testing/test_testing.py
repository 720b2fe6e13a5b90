"""``scheduler.testing``: what projects test their own jobs with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import TestCase
from scheduler import current_run, job, scheduler, testing, triggers
from scheduler.errors import UnknownJobError
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
    return get_user_model().objects.get(username=name).username


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
    get_user_model().objects.create(username="ann")
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
    monkeypatch.setattr(testing, "MAX_TURNS", 20)
    scheduler.add_job(again, "date", id="again", run_date=NOON)
    scheduler.run_now("again")
    with pytest.raises(RuntimeError, match="'again'"):
        run_due()


@pytest.mark.django_db
def test_of_one_job_only_its_own_runs_happen_and_the_others_stay_due(scheduler_clock):  # noqa: F811
    scheduler_clock.set(NOON)
    for name in ("a", "b"):
        scheduler.add_job(bodies.noop, "date", run_date=NOON, id=name)
        scheduler.add_job(bodies.noop, "interval", hours=1, id=f"asked-{name}")
        scheduler.run_now(f"asked-{name}")

    assert [(row.job_id, row.kind) for row in run_due("b")] == [("b", Kind.SCHEDULE)]
    assert [(row.job_id, row.kind) for row in run_due("asked-b")] == [("asked-b", Kind.MANUAL)]
    assert {row.job_id for row in run_due()} == {"a", "asked-a"}


@pytest.mark.django_db
def test_a_retry_of_a_job_that_is_over_can_be_run_by_its_id(scheduler_clock):  # noqa: F811
    scheduler_clock.set(NOON)
    scheduler.add_job(
        count_to_three, "date", run_date=NOON, id="once", max_retries=5, retry_delay=60
    )
    assert [row.status for row in run_due("once")] == [Status.FAILED]
    assert not Job.objects.exists()

    scheduler_clock.tick(minutes=1)
    assert [row.status for row in run_due("once")] == [Status.FAILED]


@pytest.mark.django_db
def test_an_id_that_no_job_has_is_refused_with_near_ones():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="reminder-7")
    with pytest.raises(UnknownJobError, match=r"no job 'reminder7'; did you mean reminder-7\?"):
        run_due("reminder7")


@pytest.mark.django_db
@pytest.mark.usefixtures("declared")
def test_a_declared_job_that_is_not_there_yet_is_refused_with_the_way_to_bring_it_in():
    job("interval", hours=1, id="nightly")(bodies.noop)
    with pytest.raises(UnknownJobError) as refused:
        run_due("nightly")
    assert refused.value.__notes__ == ["It is declared in code: sync_declared() brings it in."]


@pytest.mark.django_db
def test_drain_moves_the_clock_no_further_than_it_may():
    scheduler.add_job(count_to_three, "date", id="slow", max_retries=5, retry_delay=3600)
    with pytest.raises(RuntimeError, match="of 'slow' is queued for"):
        drain(within=timedelta(minutes=59))
    assert len(RUNS) == 1
    assert len(drain(within=timedelta(hours=2))) == 2


@pytest.mark.django_db
def test_a_job_whose_retries_never_come_to_an_end_is_named(monkeypatch):
    monkeypatch.setattr(testing, "MAX_TURNS", 20)
    scheduler.add_job(
        bodies.boom, "interval", seconds=30, id="ever", max_retries=5, retry_delay=60,
        max_instances=9, next_run_time=NOON,
    )  # fmt: skip
    with frozen_clock(NOON), pytest.raises(RuntimeError, match=r"^20 .*job 'ever'"):
        drain()


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


@pytest.mark.django_db
def test_a_failed_assertion_is_shown_where_it_stands_and_not_inside_the_helper():
    for claim in (lambda: assert_scheduled("nothing"), lambda: assert_not_scheduled("there")):
        scheduler.add_job(bodies.noop, "interval", hours=1, id="there", replace_existing=True)
        with pytest.raises(AssertionError) as failed:
            claim()
        assert failed.traceback[-1].ishidden(failed)
