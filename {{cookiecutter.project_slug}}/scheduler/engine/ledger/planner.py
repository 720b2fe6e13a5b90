"""What a job owes now: pure functions of trigger and time, no database, bounded work.

The words are APScheduler's. ``coalesce``: one run for all that was missed, or each of them, up to
``CATCH_UP_LIMIT``. ``misfire_grace_time``: how late a run may still start, judged here, when it is
claimed; APScheduler judges it in the worker thread, so that queueing counts as lateness.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ...models.execution import Status

SCAN_LIMIT = 2_000
"""Most fire times that one plan looks at. What is left over stays due, for the next turn."""


CATCHING_UP = "catching up: too many slots for one turn"


class TriggerStuck(ValueError):
    """A trigger returned a time that does not lie after the one before."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive slots that do not run, and why: one row of the ledger."""

    first: datetime
    last: datetime
    count: int
    status: Status
    reason: str


@dataclass(frozen=True)
class Plan:
    """``slots`` to run, ``stretches`` to explain, and when the job is due next (None: never)."""

    slots: tuple[datetime, ...]
    stretches: tuple[Stretch, ...]
    next_run_time: datetime | None


@dataclass(frozen=True)
class Owed:
    """The fire times up to now: the newest ``kept``, the ``count`` older ones by their ends."""

    kept: tuple[datetime, ...]
    count: int
    first: datetime
    last: datetime
    next: datetime | None
    complete: bool


def plan(
    trigger: BaseTrigger,
    first: datetime,
    now: datetime,
    *,
    coalesce: bool,
    misfire_grace_time: int | None,
    refusal: str,
    catch_up_limit: int,
) -> Plan:
    """Decide about every slot from ``first`` (the job's next_run_time) up to ``now``.

    Args:
        refusal: why no run may be queued, ``max_instances`` being reached; empty: one may.

    Raises:
        TriggerStuck: the trigger does not advance.
    """
    owed = fire_times(trigger, first, now, keep=1 if coalesce else catch_up_limit)
    older = owed if owed.count else None
    if not owed.complete:
        status = Status.SKIPPED if coalesce else Status.MISSED
        return Plan((), _cover(older, owed.kept, status, CATCHING_UP), owed.next)
    late = [slot for slot in owed.kept if _is_late(slot, now, misfire_grace_time)]
    runs = owed.kept[len(late) :]
    stretches: tuple[Stretch, ...] = ()
    if late:
        reason = f"later than its misfire_grace_time of {misfire_grace_time} s"
        stretches += _cover(older, late, Status.MISSED, reason)
        older = None
    if refusal:
        stretches += _cover(older, runs, Status.SKIPPED, refusal)
        return Plan((), stretches, owed.next)
    if coalesce and runs:
        reason = f"coalesced into the run of {runs[-1].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        stretches += _cover(older, (), Status.SKIPPED, reason)
    else:
        reason = f"more than {catch_up_limit} runs to make up for (APSCHEDULER_CATCH_UP_LIMIT)"
        stretches += _cover(older, (), Status.MISSED, reason)
    return Plan(runs, stretches, owed.next)


def fire_times(trigger: BaseTrigger, first: datetime, now: datetime, *, keep: int) -> Owed:
    """Return the fire times in [first, now], all in UTC, in a bounded number of steps.

    An interval is counted, not walked: a month of a one-second interval costs as much as a minute.

    Args:
        keep: how many of the newest are kept one by one; of the older ones, the ends and the
            number.

    Raises:
        TriggerStuck: the trigger does not advance.
    """
    first = first.astimezone(UTC)
    count = _countable(trigger, first, now, keep)
    start = first + count * trigger.interval if count else first
    last = start - trigger.interval if count else first
    kept: deque[datetime] = deque(maxlen=keep)
    slot: datetime | None = start
    if not count and first <= now:
        slot = _after(trigger, first, now)
        if slot is None or slot > now:  # one slot: what nearly all jobs owe nearly always
            return Owed((first,), 0, first, first, slot, complete=True)
        kept.append(first)
    for _ in range(max(SCAN_LIMIT, 2 * keep)):
        if slot is None or slot > now:
            return Owed(tuple(kept), count, first, last, slot, complete=True)
        if len(kept) == keep:
            count, last = count + 1, kept[0]
        kept.append(slot)
        slot = _after(trigger, slot, now)
    complete = slot is None or slot > now
    return Owed(tuple(kept), count, first, last, slot, complete)


def _countable(trigger: BaseTrigger, first: datetime, now: datetime, keep: int) -> int:
    """Return how many of the oldest slots of a plain interval arithmetic can pass over."""
    if not isinstance(trigger, IntervalTrigger) or trigger.jitter:
        return 0
    end = min(now, trigger.end_date) if trigger.end_date else now
    return max((end - first) // trigger.interval + 1 - keep, 0)


def _after(trigger: BaseTrigger, slot: datetime, now: datetime) -> datetime | None:
    """Return the next fire time, in UTC: times of one zone compare by wall clock, which repeats."""
    local = slot.astimezone(getattr(trigger, "timezone", None) or UTC)
    following = trigger.get_next_fire_time(local, max(slot, now))
    if following is None:
        return None
    if (following := following.astimezone(UTC)) <= slot:
        raise TriggerStuck(f"{trigger!r} returned {following} after {slot}: it does not advance")
    return following


def _is_late(slot: datetime, now: datetime, grace: int | None) -> bool:
    return grace is not None and now - slot > timedelta(seconds=grace)


def _cover(
    older: Owed | None, slots: Sequence[datetime], status: Status, reason: str
) -> tuple[Stretch, ...]:
    """Return one stretch over the older slots and ``slots``; none when there are neither."""
    if older is None and not slots:
        return ()
    first = older.first if older else slots[0]
    last = slots[-1] if slots or older is None else older.last
    return (Stretch(first, last, (older.count if older else 0) + len(slots), status, reason),)
