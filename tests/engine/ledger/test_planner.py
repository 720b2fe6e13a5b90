"""The planner against a naive oracle that lists every slot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st
from scheduler.engine.ledger import planner
from scheduler.engine.ledger.instances import NOT_ENDED
from scheduler.engine.ledger.planner import TriggerStuck, plan
from scheduler.models.execution import Status

START = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

triggers = st.one_of(
    st.integers(1, 7200).map(lambda s: IntervalTrigger(seconds=s, timezone=UTC)),
    st.sampled_from(["*/7 * * * *", "0 * * * *", "30 2 * * *"]).map(
        lambda text: CronTrigger.from_crontab(text, timezone=UTC)
    ),
    st.just(DateTrigger(START, timezone=UTC)),
)


def every_slot(trigger, first, now):
    slot, slots = first, []
    while slot is not None and slot <= now:
        slots.append(slot)
        slot = trigger.get_next_fire_time(slot, max(slot, now))
    return slots, slot


@given(
    trigger=triggers,
    late=st.integers(0, 20_000),
    coalesce=st.booleans(),
    grace=st.one_of(st.none(), st.integers(1, 20_000)),
    refusal=st.sampled_from(["", NOT_ENDED]),
    limit=st.integers(1, 50),
)
def test_every_slot_is_run_or_explained_exactly_once(
    trigger, late, coalesce, grace, refusal, limit
):
    first = trigger.get_next_fire_time(None, START)
    now = first + timedelta(seconds=late)
    slots, following = every_slot(trigger, first, now)
    if len(slots) > planner.SCAN_LIMIT and not isinstance(trigger, IntervalTrigger):
        return
    made = plan(
        trigger, first, now, coalesce=coalesce, misfire_grace_time=grace, refusal=refusal,
        catch_up_limit=limit,
    )  # fmt: skip
    explained = sum(stretch.count for stretch in made.stretches)
    assert len(made.slots) + explained == len(slots)
    assert made.next_run_time == following
    position = 0
    for stretch in made.stretches:
        assert stretch.first == slots[position]
        position += stretch.count
        assert stretch.last == slots[position - 1]
    assert list(made.slots) == slots[position:]
    for slot in made.slots:
        assert not refusal
        assert grace is None or now - slot <= timedelta(seconds=grace)
    assert len(made.slots) <= (1 if coalesce else limit)


def owed(trigger, first, now, **policies):
    defaults = {
        "coalesce": True,
        "misfire_grace_time": None,
        "refusal": "",
        "catch_up_limit": 10,
    }
    return plan(trigger, first, now, **(defaults | policies))


EVERY_MINUTE = IntervalTrigger(minutes=1, timezone=UTC)


def test_one_run_stands_for_all_that_was_missed():
    made = owed(EVERY_MINUTE, START, START + timedelta(minutes=5))
    assert made.slots == (START + timedelta(minutes=5),)
    (stretch,) = made.stretches
    assert (stretch.count, stretch.status) == (5, Status.SKIPPED)
    newest = f"{START + timedelta(minutes=5):%Y-%m-%d %H:%M:%S}"
    assert stretch.reason == f"coalesced into the run of {newest} UTC"


def test_without_coalesce_the_newest_are_made_up_for_and_the_rest_is_missed():
    made = owed(EVERY_MINUTE, START, START + timedelta(minutes=29), coalesce=False)
    assert len(made.slots) == 10
    (stretch,) = made.stretches
    assert (stretch.count, stretch.status) == (20, Status.MISSED)


def test_what_is_later_than_its_grace_is_missed():
    made = owed(EVERY_MINUTE, START, START + timedelta(seconds=31), misfire_grace_time=30)
    assert made.slots == ()
    assert made.stretches[0].status is Status.MISSED
    made = owed(EVERY_MINUTE, START, START + timedelta(seconds=30), misfire_grace_time=30)
    assert made.slots == (START,)


def test_a_job_at_its_max_instances_is_skipped_with_the_reason():
    made = owed(EVERY_MINUTE, START, START, refusal=NOT_ENDED)
    (stretch,) = made.stretches
    assert (stretch.status, stretch.reason) == (Status.SKIPPED, NOT_ENDED)


def test_a_month_of_a_one_second_interval_costs_no_more_than_a_minute():
    """Counted steps, not seconds of the clock: timing belongs in bench/."""
    trigger = CountingInterval(seconds=1, timezone=UTC)
    made = owed(trigger, START, START + timedelta(days=30))
    assert made.stretches[0].count == 30 * 86_400
    assert trigger.steps == 1


def test_a_cron_trigger_with_a_long_past_is_worked_off_in_bounded_pieces():
    trigger = CronTrigger(second="*", timezone=UTC)
    first, now, turns, count = START, START + timedelta(hours=2), 0, 0
    while first <= now:
        made = owed(trigger, first, now)
        count += sum(stretch.count for stretch in made.stretches) + len(made.slots)
        first, turns = made.next_run_time, turns + 1
    assert count == 7201
    assert turns == 4
    assert made.slots == (now,)


def test_the_hour_that_repeats_is_not_taken_for_a_trigger_that_stands_still():
    trigger = IntervalTrigger(minutes=30, timezone=BERLIN)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    made = owed(trigger, first, first + timedelta(hours=2), coalesce=False)
    assert [slot.minute for slot in made.slots] == [30, 0, 30, 0, 30]


def test_a_trigger_that_stands_still_is_refused():
    class Stuck(IntervalTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            return previous_fire_time

    with pytest.raises(TriggerStuck, match="does not advance"):
        owed(Stuck(seconds=1, timezone=UTC), START, START)


class CountingInterval(IntervalTrigger):
    steps = 0

    def get_next_fire_time(self, previous_fire_time, now):
        self.steps += 1
        return super().get_next_fire_time(previous_fire_time, now)
