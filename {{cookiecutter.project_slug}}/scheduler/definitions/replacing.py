"""Adding a job again at each start, as APScheduler's users do, must not move its next run."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.job import Job as APSchedulerJob
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.interval import IntervalTrigger

from .. import triggers
from ..models import Job
from . import states, stored
from .states import Event

MADE_JUST_NOW = timedelta(minutes=10)
"""A start date that lies one interval after a moment this recent was not given by anybody."""
SOME_DATE = datetime(2000, 1, 1, tzinfo=UTC)
COMPUTED_JUST_NOW = timedelta(minutes=1)


def again(
    row: Job, job: APSchedulerJob, now: datetime, *, declared: bool = False
) -> dict[str, Any]:
    """Return the columns to write into ``row`` when ``job`` is added over it.

    An unchanged trigger keeps its next run time and its phase.
    """
    columns = stored.changed(job)
    at = columns.pop("next_run_time")
    if kept := same_trigger(row, job.trigger, now):
        del columns["trigger"]
    else:
        if kept := same_cadence(row, job.trigger, now):
            columns["trigger"] = triggers.dumps(_rezoned(triggers.loads(row.trigger), job.trigger))
        columns["planned_trigger"] = columns["trigger"]
    if given_explicitly(job, now):
        event = Event.SCHEDULED
    else:
        event = Event.RENEWED if kept else Event.REPLACED
    return columns | states.after(row.state, event, at, declared=declared)


def given_explicitly(job: APSchedulerJob, now: datetime) -> bool:
    """Return whether somebody chose the next run time, rather than the trigger."""
    known = getattr(job, "_explicit", None)
    if known is not None:
        return known
    jitter = getattr(job.trigger, "jitter", None) or 0
    exact = job.trigger
    if jitter:
        exact = copy(exact)
        exact.jitter = None
    latest = exact.get_next_fire_time(None, now)
    if job.next_run_time is None or latest is None:
        return job.next_run_time is not latest
    earliest = exact.get_next_fire_time(None, now - COMPUTED_JUST_NOW)
    latest += timedelta(seconds=jitter)
    return not (earliest and earliest <= job.next_run_time <= latest)


def same_trigger(row: Job, new: BaseTrigger, now: datetime) -> bool:
    """Return whether ``new`` equals the row's trigger but for start dates that nobody gave."""
    try:
        old = triggers.loads(row.trigger)
    except triggers.TriggerError:
        return False
    return _same(old, triggers.normalize(new), now)


def same_cadence(row: Job, new: BaseTrigger, now: datetime) -> bool:
    """Return whether ``new`` says what the row's trigger says, but for the zones of its intervals.

    An interval is exact time: a change of ``TIME_ZONE`` must not begin it anew.
    """
    try:
        old = triggers.loads(row.trigger)
    except triggers.TriggerError:
        return False
    return _same(_rezoned(old, new), triggers.normalize(new), now)


def without_implied_start(trigger: BaseTrigger, made: datetime) -> str:
    """Return the trigger's text, the same whenever the same declaration is made."""
    if _start_was_implied(trigger, made):
        trigger = copy(trigger)
        trigger.start_date = SOME_DATE
        if isinstance(trigger, CalendarIntervalTrigger):
            trigger.start_date = SOME_DATE.date()
    return triggers.dumps(trigger)


def _same(old: BaseTrigger, new: BaseTrigger, now: datetime) -> bool:
    parts, others = getattr(old, "triggers", None), getattr(new, "triggers", None)
    if parts and others and type(old) is type(new):
        return len(parts) == len(others) and all(
            _same(*pair, now) for pair in zip(parts, others, strict=True)
        )
    if _start_was_implied(new, now) and isinstance(old, type(new)):
        old = copy(old)
        old.start_date = new.start_date
    return triggers.dumps(old) == triggers.dumps(new)


def _rezoned(old: BaseTrigger, new: BaseTrigger) -> BaseTrigger:
    """Return ``old`` with the zones that ``new`` gives to its intervals."""
    parts, others = getattr(old, "triggers", None), getattr(new, "triggers", None)
    found = copy(old)
    if parts and others and len(parts) == len(others):
        found.triggers = [_rezoned(*pair) for pair in zip(parts, others, strict=True)]
    elif isinstance(old, IntervalTrigger) and isinstance(new, IntervalTrigger):
        found.timezone = new.timezone
    return found


def _start_was_implied(trigger: BaseTrigger, now: datetime) -> bool:
    if getattr(trigger, "start_date", None) is None:
        return False
    if isinstance(trigger, IntervalTrigger):
        age = now - (trigger.start_date - trigger.interval)
        return timedelta(0) <= age <= MADE_JUST_NOW
    if isinstance(trigger, CalendarIntervalTrigger):
        moments = (now, now - MADE_JUST_NOW)
        return trigger.start_date in {at.astimezone(trigger.timezone).date() for at in moments}
    return False
