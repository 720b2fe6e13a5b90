"""Combine triggers: fire when all of them do, or when any of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger as StockAndTrigger
from apscheduler.triggers.combining import OrTrigger as StockOrTrigger
from apscheduler.triggers.date import DateTrigger
from django.utils.translation import gettext_lazy, pgettext_lazy

from .calendarinterval import CalendarIntervalTrigger
from .codec import encode
from .datetimes import MICROSECOND, delayed, utc
from .describe import describe, jitter_text
from .errors import TriggerError
from .factory import build, normalize
from .interval import IntervalTrigger
from .kind import TriggerKind
from .validation import check_depth, checked_jitter, stored_number

MAX_STEPS = 2000
"""How many times the members of one tree of triggers are asked in a search for a shared moment."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OutOfStepsError(Exception):
    """A search for a shared moment has used up its steps."""


class Steps:
    """The steps that one search has left: nested triggers share them, so they do not multiply."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self, number: int) -> None:
        """Use up some steps.

        Raises:
            OutOfStepsError: fewer are left.
        """
        self._left -= number
        if self._left < 0:
            raise OutOfStepsError


class AndTrigger(StockAndTrigger):
    """Fires at the moments that all its triggers share.

    APScheduler's own never returns from its second call over cron triggers. This one always
    returns: it is finished when a member is, or when the search takes too many steps.

    Raises:
        TriggerError: no triggers; a member with jitter, or an interval without ``start_date``
            (they share no moment with anything); members that never fire together.
    """

    def __init__(self, triggers: Sequence[BaseTrigger], jitter: float | None = None) -> None:
        super().__init__(_members(triggers), checked_jitter(jitter))
        for member in self.triggers:
            _check_shareable(member)
        if self.first_after(EPOCH) is None:
            raise TriggerError(
                "these triggers never fire at the same moment, or too rarely to be found in "
                f"{MAX_STEPS} steps",
                "triggers",
            )

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the first shared moment after ``previous_fire_time``, or else from ``now``."""
        found = self.first_after(previous_fire_time or now - MICROSECOND)
        return delayed(found, self.jitter, found.tzinfo) if found else None

    def first_after(self, moment: datetime, steps: Steps | None = None) -> datetime | None:
        """Return the first shared moment after ``moment``, without jitter.

        Args:
            steps: those of the search that this one is a part of.

        Raises:
            OutOfStepsError: the surrounding search is over.
        """
        if steps is not None:
            return self._shared(moment, steps)
        try:
            return self._shared(moment, Steps())
        except OutOfStepsError:
            return None

    def _shared(self, moment: datetime, steps: Steps) -> datetime | None:
        while True:
            steps.take(len(self.triggers))
            found = [first_after(member, moment, steps) for member in self.triggers]
            times = [time for time in found if time is not None]
            if len(times) < len(found):
                return None
            instants = [utc(time) for time in times]
            if min(instants) == max(instants):
                return times[0]
            moment = max(instants) - MICROSECOND


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
        """Return the first moment of any member after ``previous_fire_time``, or from ``now``."""
        if previous_fire_time is None:
            found = _earliest(member.get_next_fire_time(None, now) for member in self.triggers)
        else:
            found = self.first_after(previous_fire_time)
        return delayed(found, self.jitter, found.tzinfo) if found else None

    def first_after(self, moment: datetime, steps: Steps | None = None) -> datetime | None:
        """Return the first moment of any member after ``moment``, without jitter of its own."""
        return _earliest(first_after(member, moment, steps) for member in self.triggers)


def first_after(
    trigger: BaseTrigger, moment: datetime, steps: Steps | None = None
) -> datetime | None:
    """Return when the trigger first fires after ``moment``, whatever fired at ``moment``.

    Raises:
        OutOfStepsError: the search that ``steps`` belong to is over.
    """
    if isinstance(trigger, DateTrigger):
        run_date: datetime = trigger.run_date
        return run_date if utc(run_date) > utc(moment) else None
    if isinstance(trigger, (AndTrigger, OrTrigger)):
        return trigger.first_after(moment, steps)
    if isinstance(trigger, (IntervalTrigger, CalendarIntervalTrigger)):
        return trigger.first_after(moment)
    found: datetime | None = trigger.get_next_fire_time(moment, moment)
    return found


def _members(triggers: Any) -> list[BaseTrigger]:
    if isinstance(triggers, (str, bytes)) or not isinstance(triggers, Iterable):
        raise TriggerError(f"expected a list of triggers, got {triggers!r:.80}", "triggers")
    members = list(triggers)
    if not members:
        raise TriggerError("the list is empty", "triggers")
    for member in members:
        if not isinstance(member, BaseTrigger):
            raise TriggerError(f"expected triggers, got {member!r:.80}", "triggers")
        check_depth(member)
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


def _make_and(triggers: Any = (), jitter: Any = None, timezone: Any = None) -> AndTrigger:
    return AndTrigger(_built(triggers, timezone), jitter)


def _make_or(triggers: Any = (), jitter: Any = None, timezone: Any = None) -> OrTrigger:
    return OrTrigger(_built(triggers, timezone), jitter)


def _built(triggers: Any, timezone: Any) -> Any:
    if not isinstance(triggers, (list, tuple)):
        return triggers  # the trigger itself says what is wrong
    return [_member(each, timezone) for each in triggers]


def _member(member: Any, timezone: Any) -> Any:
    if not isinstance(member, Mapping):
        return normalize(member) if isinstance(member, BaseTrigger) else member
    args = {"timezone": timezone, **member} if timezone else dict(member)
    return build(args.pop("type", None), **args)


def _encode(trigger: Any) -> dict[str, Any]:
    return {
        "triggers": [encode(member) for member in trigger.triggers],
        "jitter": stored_number(trigger.jitter),
    }


def _normalized_as(made: type[AndTrigger | OrTrigger]) -> Callable[[Any], BaseTrigger]:
    def normalized(trigger: Any) -> BaseTrigger:
        members = [normalize(member) for member in trigger.triggers]
        same = all(new is old for new, old in zip(members, trigger.triggers, strict=True))
        return trigger if same and type(trigger) is made else made(members, trigger.jitter)

    return normalized


def _described_as(words: Any, joint: Any) -> Callable[[Any], str]:
    def described(trigger: Any) -> str:
        members = f" {joint} ".join(f"[{describe(member)}]" for member in trigger.triggers)
        return f"{words % {'triggers': members}}{jitter_text(trigger)}"

    return described


AND = TriggerKind(
    name="and",
    make=_make_and,
    types=(AndTrigger, StockAndTrigger),
    encode=_encode,
    describe=_described_as(
        gettext_lazy("When these agree: %(triggers)s"), pgettext_lazy("between triggers", "and")
    ),
    normalize=_normalized_as(AndTrigger),
)
OR = TriggerKind(
    name="or",
    make=_make_or,
    types=(OrTrigger, StockOrTrigger),
    encode=_encode,
    describe=_described_as(
        gettext_lazy("Whenever one of these: %(triggers)s"), pgettext_lazy("between triggers", "or")
    ),
    normalize=_normalized_as(OrTrigger),
)
