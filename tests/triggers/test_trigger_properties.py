"""What holds for every trigger, whatever its arguments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scheduler.engine.ledger.planner import fire_times
from scheduler.triggers import (
    AndTrigger,
    CronTrigger,
    IntervalTrigger,
    OrTrigger,
    TriggerError,
    describe,
    dumps,
    from_crontab,
    loads,
    next_runs,
)

from .trigger_strategies import (
    Line,
    anything,
    cron_fields,
    crons,
    crontab_lines,
    dates,
    intervals,
    made,
    moments,
    nightly,
)

SLOW = settings(
    deadline=None, max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


def utc(times: list[datetime]) -> list[datetime]:
    return [time.astimezone(UTC) for time in times]


@SLOW
@given(anything, moments)
def test_a_trigger_survives_its_text(trigger: BaseTrigger, now: datetime) -> None:
    text = dumps(trigger)
    back = loads(text)
    assert dumps(back) == text
    assert describe(back) == describe(trigger)
    assert next_runs(back, 5, now) == next_runs(trigger, 5, now)


@SLOW
@given(anything, moments)
def test_time_only_moves_forward(trigger: BaseTrigger, now: datetime) -> None:
    runs = utc(next_runs(trigger, 10, now))
    assert all(earlier < later for earlier, later in pairwise(runs))
    assert all(run >= now.astimezone(UTC) for run in runs)


@SLOW
@given(cron_fields(), st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)))
def test_in_utc_the_stock_cron_trigger_is_right(fields: dict[str, str], wall: datetime) -> None:
    trigger = made(CronTrigger, **fields, timezone="UTC")
    assume(trigger is not None)
    stock = StockCronTrigger(**fields, timezone="UTC")
    ours = theirs = wall.replace(tzinfo=UTC)
    for _ in range(10):
        ours = trigger.get_next_fire_time(ours, ours)
        theirs = stock.get_next_fire_time(theirs, theirs)
        assert ours == theirs
        if ours is None:
            break


@SLOW
@given(crontab_lines(), st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_a_crontab_line_means_what_cron_says(line: Line, wall: datetime) -> None:
    try:
        trigger = from_crontab(line.text, "UTC")
    except TriggerError:
        assume(False)
    start = wall.replace(second=0, microsecond=0, tzinfo=UTC)
    expected = [
        tick for n in range(3 * 1440) if line.holds(tick := start + n * timedelta(minutes=1))
    ]
    found = next_runs(trigger, len(expected) + 1, start)
    assert found[: len(expected)] == expected
    assert all(run > start + timedelta(minutes=3 * 1440 - 1) for run in found[len(expected) :])


@SLOW
@given(intervals.filter(lambda trigger: not trigger.jitter), st.integers(0, 300))
def test_an_interval_is_counted_as_it_is_walked(trigger: IntervalTrigger, steps: int) -> None:
    first = trigger.get_next_fire_time(None, datetime(2020, 1, 1, tzinfo=UTC))
    assume(first is not None)
    now = first + steps * trigger.interval + trigger.interval / 3
    walked, last = [first], first
    while (later := trigger.get_next_fire_time(last, now)) and later.astimezone(UTC) <= now:
        last = later
        walked.append(last)
    owed = fire_times(trigger, first, now, keep=1)
    assert (owed.count + 1, owed.kept, owed.complete) == (len(walked), (last,), True)
    assert (owed.first, owed.last) == (first, walked[max(len(walked) - 2, 0)])


@SLOW
@given(crons, moments, st.integers(1, 20), st.integers(0, 29))
def test_what_a_cron_trigger_owes_is_what_it_announced(
    trigger: CronTrigger, now: datetime, keep: int, at: int
) -> None:
    assume(not trigger.jitter)
    runs = utc(next_runs(trigger, 31, now))
    assume(len(runs) > at)
    owed = fire_times(trigger, runs[0], runs[at], keep=keep)
    due = runs[: at + 1]
    assert (owed.kept, owed.count) == (tuple(due[-keep:]), max(len(due) - keep, 0))
    assert owed.next == (runs[at + 1] if len(runs) > at + 1 else None)


@SLOW
@given(st.lists(crons | dates, min_size=1, max_size=3), moments)
def test_or_is_the_union_of_its_members(members: list[BaseTrigger], now: datetime) -> None:
    for member in members:
        if isinstance(member, CronTrigger):
            member.jitter = None
    alone = {time for member in members for time in utc(next_runs(member, 6, now))}
    assert utc(next_runs(OrTrigger(members), 6, now)) == sorted(alone)[:6]


@settings(SLOW, max_examples=25)
@given(st.lists(nightly, min_size=2, max_size=3), moments)
def test_and_is_what_its_members_share(members: list[CronTrigger], now: datetime) -> None:
    both = made(AndTrigger, triggers=members)
    assume(both is not None)
    runs = [utc(next_runs(member, 100, now)) for member in members]
    horizon = min(each[-1] for each in runs)
    shared = sorted(time for time in set.intersection(*map(set, runs)) if time <= horizon)[:5]
    assert utc(next_runs(both, 5, now))[: len(shared)] == shared
