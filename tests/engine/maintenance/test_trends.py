"""What ended in each hour and day: exact, bounded, and there for longer than the executions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scheduler.engine.maintenance import histogram, tallies, trends
from scheduler.engine.maintenance.retention import Retention
from scheduler.models import Execution, Trend
from scheduler.models.trend import Span

from tests.monitoring import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
LATER = rows.NOON + timedelta(hours=2)


def step(lease, now=LATER) -> None:
    while tallies.Tallies(lease).step(now):
        pass


def found(span: Span) -> dict[tuple[str, str], trends.Figures]:
    return {
        (row.job_id, f"{row.start:%d %H}"): trends.Figures.of(row)
        for row in Trend.objects.filter(span=span)
    }


def test_a_run_counts_in_its_hour_and_in_the_hour_and_day_of_its_job(lease):
    rows.job()
    rows.execution()
    rows.execution(status="failed", due_at=rows.NOON + timedelta(minutes=70))
    rows.execution("one-off", status="missed", started_at=None, slots=40)
    step(lease)
    assert {key: dict(each.outcomes) for key, each in found(Span.HOUR).items()} == {
        ("", "01 12"): zeros(succeeded=1, missed=40),
        ("", "01 13"): zeros(failed=1),
    }
    assert {key: dict(each.outcomes) for key, each in found(Span.JOB_HOUR).items()} == {
        ("home.sync", "01 12"): zeros(succeeded=1),
        ("home.sync", "01 13"): zeros(failed=1),
        ("", "01 12"): zeros(missed=40),
    }
    day = found(Span.JOB_DAY)["home.sync", "01 00"]
    assert (day.ran, day.run_seconds, day.longest) == (2, 4.0, 2.0)
    assert day.run_buckets == {histogram.bucket(2.0): 2}
    assert day.lag_buckets == {histogram.bucket(1.0): 2}


def zeros(**outcomes: int) -> dict[str, int]:
    names = ("succeeded", "failed", "timed_out", "missed", "skipped", "lost", "cancelled")
    return dict.fromkeys(names, 0) | outcomes


def test_several_steps_add_up_and_nothing_is_counted_twice(lease):
    rows.job()
    running = rows.execution(status="running")
    for number in range(3):
        rows.execution(due_at=rows.NOON + timedelta(seconds=number))
        step(lease)
        step(lease)
    Execution.objects.filter(pk=running.pk).update(status="succeeded", finished_at=rows.NOON)
    step(lease)
    assert found(Span.JOB_DAY)["home.sync", "01 00"].outcomes["succeeded"] == 4
    assert found(Span.HOUR)["", "01 12"].outcomes["succeeded"] == 4


def test_trends_stay_when_the_executions_are_deleted(lease, settings):
    settings.APSCHEDULER_KEEP_PER_JOB = 1
    rows.job()
    for _ in range(5):
        rows.execution()
    assert Retention(lease).step(LATER) == 4  # before any was counted
    step(lease)
    assert Execution.objects.count() == 1
    assert found(Span.HOUR)["", "01 12"].outcomes["succeeded"] == 5


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (timedelta(hours=40), {Span.HOUR, Span.JOB_HOUR, Span.JOB_DAY}),
        (timedelta(days=4), {Span.HOUR, Span.JOB_DAY}),
        (timedelta(days=88), {Span.HOUR, Span.JOB_DAY}),
        (timedelta(days=92), set()),
    ],
)
def test_rows_are_deleted_when_they_are_older_than_they_are_kept(lease, age, left):
    rows.execution()
    step(lease)
    assert Trend.objects.count() == 3
    trends.forget_old(rows.NOON + age, "default")
    assert set(Trend.objects.values_list("span", flat=True)) == left


def test_what_ended_before_the_oldest_kept_hour_makes_no_row(lease):
    rows.execution(due_at=rows.NOON - timedelta(days=100))
    step(lease)
    assert not Trend.objects.exists()
    assert tallies.totals("default")["", "succeeded"].runs == 1


def test_the_leader_deletes_old_rows(lease, settings):
    rows.execution(due_at=rows.NOON - timedelta(hours=48))
    step(lease, rows.NOON + timedelta(minutes=2))
    assert found(Span.JOB_HOUR)
    step(lease)
    assert not found(Span.JOB_HOUR)


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.02, 0.3, 1.0, 7.0, 130.0, 90_000.0, 1e9])
def test_a_bucket_holds_its_durations(seconds):
    number = histogram.bucket(seconds)
    assert number in (histogram.FIRST, histogram.LAST) or (
        histogram.end(number - 1) < seconds <= histogram.end(number)
    )


def test_percentiles_are_right_to_about_a_tenth():
    durations = [0.05 * 1.01**n for n in range(1000)]
    buckets = histogram.Buckets(map(histogram.bucket, durations))
    for share in (0.01, 0.5, 0.95, 0.99):
        right = durations[int(share * 1000)]
        assert histogram.percentile(buckets, share) == pytest.approx(right, rel=0.1)
    assert histogram.percentile({}, 0.5) is None


def test_buckets_are_stored_as_json():
    buckets = histogram.Buckets({-3: 2, 7: 1})
    assert histogram.loads(histogram.dumps(buckets)) == buckets
