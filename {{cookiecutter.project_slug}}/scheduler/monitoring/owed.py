"""What each job owed, recomputed from the recorded changes of its definition.

Nothing here asks the planner or the ledger: it is the second opinion that the audit compares with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apscheduler.triggers.base import BaseTrigger
from django.utils.dateparse import parse_datetime

from .. import triggers
from ..models import Change, Job
from ..models.change import Action

BY_CALENDAR = (triggers.CronTrigger, triggers.CalendarIntervalTrigger)
"""Triggers whose times do not depend on the one before: a sequence of them may begin anywhere."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a job's life under one trigger: it owed the times from ``first`` on."""

    job_id: str
    uid: UUID
    trigger: str
    """JSON."""
    first: datetime
    end: datetime | None = None
    """The job's next run time when the segment ended, itself not owed any more; None: it had no
    further one."""
    changed_at: datetime | None = None
    """When a change ended it; None: it goes on."""


def segments(changes: Sequence[Change], job: Job | None) -> list[Segment]:
    """Return the segments of one job, in order.

    Args:
        changes: all of one uid, oldest first.
        job: the row as it is now, if there is one.
    """
    found: list[Segment] = []
    trigger, current = "", None
    for change in changes:
        before, after = json.loads(change.before), json.loads(change.after)
        if change.action == Action.MOVED:  # nobody can recompute the times by the former rules
            found, current = [], None
        trigger_before, trigger = trigger, after.get("trigger", trigger)
        moved = "next_run_time" in before or "next_run_time" in after
        if not moved and trigger == trigger_before:
            continue
        if current is not None:
            at = change.at
            end = _time(before, "next_run_time") if "next_run_time" in before else _due(current, at)
            found.append(replace(current, end=end, changed_at=at))
            if not moved and change.action != Action.REMOVED:
                current = _begin(change, trigger, end)
                continue
        current = _begin(change, trigger, _time(after, "next_run_time"))
    if current is not None:
        found.append(replace(current, end=job.next_run_time if job else None))
    return found


def slots(segment: Segment, since: datetime, until: datetime) -> Iterator[datetime]:
    """Compute the times that the segment owed in [since, until], in UTC.

    Raises:
        TriggerError: the trigger cannot be read.
        ValueError: its times cannot be recomputed.
    """
    trigger = triggers.loads(segment.trigger)
    if has_jitter(trigger):
        raise ValueError("its trigger has jitter: nobody can recompute a random delay")
    for slot in _sequence(trigger, segment.first.astimezone(UTC), since):
        if slot > until or (segment.end is not None and slot >= segment.end):
            return
        if slot >= since:
            yield slot


def dropped(segment: Segment) -> int:
    """Count the due times that the change that ended the segment took out of the schedule."""
    if segment.end is None or segment.changed_at is None or segment.changed_at < segment.end:
        return 0
    left = replace(segment, first=segment.end, end=None)
    return sum(1 for _ in slots(left, segment.end, segment.changed_at))


def has_jitter(trigger: BaseTrigger) -> bool:
    """Return whether the trigger, or one inside it, has jitter."""
    members = getattr(trigger, "triggers", ())
    return bool(getattr(trigger, "jitter", None)) or any(map(has_jitter, members))


def _begin(change: Change, trigger: str, first: datetime | None) -> Segment | None:
    if first is None:
        return None
    return Segment(change.job_id, change.job_uid, trigger, first)


def _due(segment: Segment, at: datetime) -> datetime | None:
    """Return the next run time at a change that did not touch it, and so did not record it."""
    trigger = triggers.loads(segment.trigger)
    return next((s for s in _sequence(trigger, segment.first, at) if s > at), None)


def _sequence(trigger: BaseTrigger, first: datetime, since: datetime) -> Iterator[datetime]:
    slot: datetime | None = first
    if isinstance(trigger, triggers.IntervalTrigger):
        slot = first + max((since - first) // trigger.interval, 0) * trigger.interval
    elif since > first and isinstance(trigger, BY_CALENDAR):
        begun = trigger.get_next_fire_time(None, since.astimezone(trigger.timezone))
        slot = None if begun is None else begun.astimezone(UTC)
    while slot is not None:
        yield slot
        slot = _following(trigger, slot)


def _following(trigger: BaseTrigger, slot: datetime) -> datetime | None:
    local = slot.astimezone(getattr(trigger, "timezone", None) or UTC)
    following = trigger.get_next_fire_time(local, local)
    return None if following is None else following.astimezone(UTC)


def _time(columns: dict[str, Any], name: str) -> datetime | None:
    text = columns.get(name)
    return parse_datetime(text) if text else None
