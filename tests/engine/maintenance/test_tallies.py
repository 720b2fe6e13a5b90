"""Counters that retention does not lower, and that nobody counts twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scheduler.engine.leadership.lease import LeaseLost
from scheduler.engine.maintenance import tallies
from scheduler.engine.maintenance.retention import Retention
from scheduler.models import Execution, Job, TallyMark, TallyOpen
from scheduler.models import Lease as LeaseRow

from tests.monitoring import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
LATER = rows.NOON + timedelta(minutes=10)


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
        assert Execution.objects.delete_old_job_executions(0) == 6
    # What was deleted above the mark was not counted; all below it was.
    assert tallies.totals("default") == before


def test_counters_do_not_fall_when_retention_deletes_what_is_not_counted(lease, settings):
    settings.APSCHEDULER_KEEP_PER_JOB = 5
    rows.job()
    rows.execution(status="running")
    for _ in range(20):
        rows.execution()
    before = tallies.totals("default")
    assert before["home.sync", "succeeded"] == tallies.Sum(20, 40.0, 20.0)
    assert Retention(lease).step(LATER) == 15
    assert tallies.totals("default") == before
    step(lease)
    assert tallies.totals("default") == before


def test_a_run_that_stays_open_does_not_hold_up_the_counting_of_others(lease):
    rows.job()
    running = rows.execution(status="running")
    rows.execution()
    assert step(lease) == 1
    assert tallies.counted_up_to("default") == running.pk + 1
    end(running, "failed")
    assert runs() == {("home.sync", "succeeded"): 1, ("home.sync", "failed"): 1}
    assert [step(lease), step(lease)] == [1, 0]
    assert runs() == {("home.sync", "succeeded"): 1, ("home.sync", "failed"): 1}
    assert not TallyOpen.objects.exists()


def end(execution, status: str) -> None:
    rows_of = Execution.objects.filter(pk=execution.pk)
    rows_of.update(status=status, finished_at=LATER)


def test_a_run_that_ends_while_the_mark_passes_it_is_counted_once(lease, monkeypatch):
    """The leader reads what is open, then what has ended; a process records a result between."""
    rows.job()
    running = rows.execution(status="running")
    rows.execution()
    reach = tallies._reach

    def end_after_looking(*args):
        found = reach(*args)
        end(running, "failed")
        return found

    monkeypatch.setattr(tallies, "_reach", end_after_looking)
    assert step(lease) == 1
    monkeypatch.setattr(tallies, "_reach", reach)
    assert step(lease) == 1
    assert runs() == {("home.sync", "succeeded"): 1, ("home.sync", "failed"): 1}


def test_what_retention_deletes_of_runs_noted_as_open_is_counted(lease, settings):
    settings.APSCHEDULER_KEEP_PER_JOB = 1
    rows.job()
    running = rows.execution(status="running")
    rows.execution()
    step(lease)
    end(running, "failed")
    assert Retention(lease).step(LATER) == 1
    assert not TallyOpen.objects.exists()
    step(lease)
    assert runs() == {("home.sync", "succeeded"): 1, ("home.sync", "failed"): 1}


def test_a_run_noted_as_open_that_somebody_deletes_is_forgotten(lease):
    running = rows.execution(status="running")
    step(lease)
    assert TallyOpen.objects.count() == 1
    Execution.objects.filter(pk=running.pk).delete()
    step(lease)
    assert not TallyOpen.objects.exists()


def test_the_mark_stops_below_what_is_open_beyond_a_number(lease, monkeypatch):
    monkeypatch.setattr(tallies, "MAX_OPEN_ROWS", 2)
    rows.job()
    opened = [rows.execution(status="running") for _ in range(3)]
    rows.execution()
    step(lease)
    assert tallies.counted_up_to("default") == opened[2].pk - 1
    assert runs() == {("home.sync", "succeeded"): 1}
    mark = TallyMark.objects.get()
    assert mark.complete_at is None
    end(opened[0], "failed")
    step(lease)
    assert tallies.counted_up_to("default") == opened[2].pk + 1
    assert TallyMark.objects.get().complete_at == LATER
    assert runs() == {("home.sync", "succeeded"): 1, ("home.sync", "failed"): 1}


def test_no_sum_falls_by_the_order_in_which_it_is_counted(lease):
    """Prometheus takes a counter that falls, be it by a rounding, for one that began anew."""
    rows.job()
    for micros in range(100_003, 160_000, 1_999):
        started = rows.NOON + timedelta(microseconds=micros)
        rows.execution(started_at=started, finished_at=started + timedelta(seconds=0.1))
    before = tallies.totals("default")
    step(lease)
    assert tallies.totals("default") == before


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


def test_a_step_ends_when_its_time_is_over_and_the_next_one_goes_on(lease, monkeypatch):
    monkeypatch.setattr(tallies, "MAX_ROWS", 2)
    monkeypatch.setattr(tallies, "STEP_SECONDS", 0.0)
    for _ in range(3):
        rows.execution()
    counter = tallies.Tallies(lease)
    assert [counter.step(LATER) for _ in range(3)] == [2, 1, 0]
    assert runs() == {("", "succeeded"): 3}


def test_a_step_counts_as_many_rows_as_it_has_time_for(lease, monkeypatch):
    monkeypatch.setattr(tallies, "MAX_ROWS", 2)
    monkeypatch.setattr(tallies, "STEP_SECONDS", 3600.0)
    for _ in range(5):
        rows.execution()
    assert tallies.Tallies(lease).step(LATER) == 5
    assert runs() == {("", "succeeded"): 5}


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
    with django_assert_num_queries(6):
        tallies.totals("default")
    assert Execution.objects.count() == 20
    assert Job.objects.count() == 1
