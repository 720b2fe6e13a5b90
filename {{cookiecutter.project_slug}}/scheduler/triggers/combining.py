"""Triggers made of triggers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger as StockAndTrigger
from apscheduler.triggers.combining import OrTrigger as StockOrTrigger
from apscheduler.triggers.date import DateTrigger

from .arguments import checked_jitter
from .calendarinterval import CalendarIntervalTrigger
from .errors import TriggerError
from .interval import IntervalTrigger
from .jitter import delayed
from .moments import MICROSECOND, utc

ROUNDS = 1000  # how often the members of an "and" may disagree before it gives up
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AndTrigger(StockAndTrigger):
    """Fires at the moments that all its triggers share.

    APScheduler's own never returns from its second call over cron triggers. This one always
    returns: it is finished when a member is, or after 1000 moments on which they disagree.

    Raises:
        TriggerError: no triggers; a member with jitter, or an interval without ``start_date``
            (they share no moment with anything); members that never fire together.
    """

    def __init__(self, triggers: Sequence[BaseTrigger], jitter: float | None = None) -> None:
        super().__init__(_members(triggers), checked_jitter(jitter))
        for member in self.triggers:
            _check_shareable(member)
        if self.first_after(EPOCH) is None:
            raise TriggerError("these triggers never fire at the same moment", "triggers")

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first shared moment after ``previous_fire_time``, or else at or after ``now``."""
        found = self.first_after(previous_fire_time or now - MICROSECOND)
        return delayed(found, self.jitter, found.tzinfo) if found else None

    def first_after(self, moment: datetime) -> datetime | None:
        """The first shared moment after ``moment``, without jitter."""
        for _ in range(ROUNDS):
            found = [first_after(member, moment) for member in self.triggers]
            times = [time for time in found if time is not None]
            if len(times) < len(found):
                return None
            instants = [utc(time) for time in times]
            if min(instants) == max(instants):
                return times[0]
            moment = max(instants) - MICROSECOND
        return None


class OrTrigger(StockOrTrigger):
    """Fires whenever one of its triggers does, once where several fire at the same moment.

    A member that APScheduler's own would lose, such as a date after the first run, is kept.
    Give ``jitter`` to this trigger rather than to its members.

    Raises:
        TriggerError: no triggers.
    """

    def __init__(self, triggers: Sequence[BaseTrigger], jitter: float | None = None) -> None:
        super().__init__(_members(triggers), checked_jitter(jitter))

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first moment of any member after ``previous_fire_time``, or else from ``now``."""
        if previous_fire_time is None:
            found = _earliest(member.get_next_fire_time(None, now) for member in self.triggers)
        else:
            found = self.first_after(previous_fire_time)
        return delayed(found, self.jitter, found.tzinfo) if found else None

    def first_after(self, moment: datetime) -> datetime | None:
        """The first moment of any member after ``moment``, without jitter of its own."""
        return _earliest(first_after(member, moment) for member in self.triggers)


def first_after(trigger: BaseTrigger, moment: datetime) -> datetime | None:
    """When ``trigger`` first fires after ``moment``, whatever fired at ``moment``."""
    if isinstance(trigger, DateTrigger):
        run_date: datetime = trigger.run_date
        return run_date if utc(run_date) > utc(moment) else None
    if isinstance(trigger, (IntervalTrigger, CalendarIntervalTrigger, AndTrigger, OrTrigger)):
        return trigger.first_after(moment)
    found: datetime | None = trigger.get_next_fire_time(moment, moment)
    return found


def _members(triggers: Any) -> list[BaseTrigger]:
    if isinstance(triggers, (str, bytes)) or not isinstance(triggers, Iterable):
        raise TriggerError(f"expected a list of triggers, got {triggers!r}", "triggers")
    members = list(triggers)
    if not members:
        raise TriggerError("the list is empty", "triggers")
    for member in members:
        if not isinstance(member, BaseTrigger):
            raise TriggerError(f"expected triggers, got {member!r}", "triggers")
    return members


def _check_shareable(member: BaseTrigger) -> None:
    if getattr(member, "jitter", None):
        raise TriggerError(
            "a member with jitter agrees with nothing; give jitter to the and trigger", "triggers"
        )
    if isinstance(member, (IntervalTrigger, CalendarIntervalTrigger)) and not member.start_date:
        raise TriggerError("an interval inside an and trigger needs start_date", "triggers")
    for inner in getattr(member, "triggers", ()):
        _check_shareable(inner)


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), key=utc, default=None)
