"""Counters that retention does not lower, and that nobody counts twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scheduler.engine import tallies
from scheduler.engine.lease import Lease, LeaseLost
from scheduler.engine.node import Self
from scheduler.engine.retention import Retention, delete_older_than
from scheduler.models import Execution, Job
from scheduler.models import Lease as LeaseRow

from tests.ops import rows

pytestmark = pytest.mark.django_db
LATER = rows.NOON + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def noon():
    with rows.database_clock():
        yield


@pytest.fixture
def lease():
    lease = Lease(Self("default"))
    lease.node.beat("standby", "poll", "")
    assert lease.acquire()
    return lease


def step(lease, now=LATER) -> int:
    return tallies.Tallies(lease).step(now)


def runs() -> dict[tuple[str, str], int]:
    return {key: total.runs for key, total in tallies.totals("default").items()}


def test_totals_are_the_same_before_and_after_the_mark_moves_and_rows_go(lease):
    rows.job()
    for _ in range(3):
        rows.execution()
    rows.execution(status="failed")
    rows.execution(status="missed", slots=40, started_at=None)
    before = tallies.totals("default")
    assert before["home.sync", "succeeded"] == tallies.Sum(3, 6.0, 3.0)
    assert before["home.sync", "missed"].runs == 40
    assert step(lease) == 5
    assert tallies.totals("default") == before
    rows.execution()
    with rows.database_clock(LATER):
        assert delete_older_than(timedelta(), "default") == 6
    # What was deleted above the mark was not counted; all below it was.
    assert tallies.totals("default") == before


def test_counters_do_not_fall_when_retention_deletes_above_the_mark(lease, settings):
    """A run that stays open for a day keeps the mark below all that ended since."""
    settings.APSCHEDULER_KEEP_PER_JOB = 5
    rows.job()
    rows.execution(status="running")
    for _ in range(20):
        rows.execution()
    step(lease)
    before = tallies.totals("default")
    assert before["home.sync", "succeeded"] == tallies.Sum(20, 40.0, 20.0)
    assert Retention(lease).step(LATER) == 15
    assert tallies.totals("default") == before
    Execution.objects.filter(status="running").update(status="failed", finished_at=LATER)
    step(lease)
    assert tallies.counted_up_to("default") == Execution.objects.latest("id").pk
    assert runs() == {("home.sync", "succeeded"): 20, ("home.sync", "failed"): 1}


def test_what_retention_deletes_below_the_mark_is_not_counted_again(lease, settings):
    settings.APSCHEDULER_KEEP_PER_JOB = 1
    for _ in range(3):
        rows.execution()
    step(lease)
    assert Retention(lease).step(LATER) == 2
    assert runs() == {("", "succeeded"): 3}


def test_a_deletion_between_the_statements_of_a_scrape_is_noticed(lease, settings, monkeypatch):
    settings.APSCHEDULER_KEEP_PER_JOB = 1
    for _ in range(3):
        rows.execution()
    sums, deleted = tallies._sums, []

    def delete_after_reading(queryset, known):
        found = sums(queryset, known)
        if not deleted:
            deleted.append(True)
            assert Retention(lease).step(LATER) == 2
        return found

    monkeypatch.setattr(tallies, "_sums", delete_after_reading)
    assert runs() == {("", "succeeded"): 3}


def test_the_mark_stops_below_what_has_not_ended(lease):
    rows.job()
    rows.execution()
    running = rows.execution(status="running")
    rows.execution()
    assert step(lease) == 1
    assert tallies.counted_up_to("default") == running.pk - 1
    assert runs() == {("home.sync", "succeeded"): 2}


def test_the_mark_stops_below_what_is_young(lease):
    """A smaller id may still be in somebody's open transaction."""
    rows.execution(queued_at=LATER - timedelta(seconds=70))
    young = rows.execution(queued_at=LATER - timedelta(seconds=50))
    step(lease)
    assert tallies.counted_up_to("default") == young.pk - 1


def test_sums_add_up_over_several_steps(lease):
    rows.job()
    for _ in range(3):
        rows.execution()
        rows.execution("gone")
        step(lease)
    assert runs() == {("home.sync", "succeeded"): 3, ("", "succeeded"): 3}


def test_one_step_counts_at_most_so_many(lease, monkeypatch):
    monkeypatch.setattr(tallies, "MOST", 2)
    for _ in range(3):
        rows.execution()
    counter = tallies.Tallies(lease)
    assert [counter.step(LATER) for _ in range(3)] == [2, 1, 0]
    assert runs() == {("", "succeeded"): 3}


def test_who_lost_the_lease_counts_nothing(lease):
    rows.execution()
    LeaseRow.objects.update(holder=None)
    with pytest.raises(LeaseLost):
        step(lease)
    assert tallies.counted_up_to("default") == 0


def test_one_off_jobs_share_one_key(lease):
    date = '{"run_date":"2026-03-01T12:00:00Z","timezone":"UTC","type":"date"}'
    rows.job("reminder-1", trigger=date, planned_trigger=date)
    rows.execution("reminder-1")
    rows.execution("reminder-2")
    assert runs() == {("", "succeeded"): 2}


def test_a_mark_that_moves_between_the_statements_is_noticed(lease, monkeypatch):
    rows.job()
    rows.execution()
    sums, moved = tallies._sums, []

    def move_after_reading(queryset, known):
        found = sums(queryset, known)
        if not moved:
            moved.append(True)
            step(lease)
        return found

    monkeypatch.setattr(tallies, "_sums", move_after_reading)
    assert runs() == {("home.sync", "succeeded"): 1}


def test_the_statements_of_a_scrape_do_not_grow_with_history(lease, django_assert_num_queries):
    rows.job()
    for _ in range(20):
        rows.execution()
    step(lease)
    assert not tallies._above(tallies.counted_up_to("default"), "default").exists()
    with django_assert_num_queries(5):
        tallies.totals("default")
    assert Execution.objects.count() == 20
    assert Job.objects.count() == 1
