"""Triggers from a kind and arguments, as users, forms and JSON name them, or from APScheduler's."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from .errors import TriggerError
from .kind import KINDS, kind_of
from .validation import check_depth


def build(kind: str, /, **args: Any) -> BaseTrigger:
    """Return a checked trigger.

    Args:
        kind: ``date``, ``interval``, ``cron``, ``calendarinterval``, ``crontab`` (``expr``),
            ``and`` or ``or`` (``triggers``: triggers, or mappings with a ``type``).
        args: the arguments of that trigger, by APScheduler's names. Times may be datetimes,
            dates or ISO text, zones may be names; without ``timezone`` the project's is used.

    Raises:
        TriggerError: names the argument at fault, which is also its ``field``.
    """
    check_depth(args)
    check_names(kind, args)
    return KINDS[kind].make(**args)


def normalize(trigger: BaseTrigger) -> BaseTrigger:
    """Return our trigger for one of APScheduler's; others, subclasses included, as they are.

    Raises:
        TriggerError: APScheduler accepts it but it cannot work, such as 30 February.
    """
    check_depth(trigger)
    kind = kind_of(trigger)
    return kind.normalize(trigger) if kind else trigger


def check_names(kind: Any, names: Iterable[str], of_job: Collection[str] = ()) -> None:
    """Check that there is such a kind of trigger, with such arguments.

    Args:
        of_job: what the caller takes beside the trigger's arguments, to be suggested as well.

    Raises:
        TriggerError: names the one that is unknown, and what may have been meant.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        found = "missing" if kind is None else f"{kind!r:.80} is unknown"
        raise TriggerError(f"{found}; {_meant(str(kind), tuple(KINDS))}", "type")
    accepted = KINDS[kind].arguments
    for name in names:
        if name in of_job:
            raise TriggerError("is of the job, not of its trigger: modify_job() takes it", name)
        if name not in accepted:
            hint = _meant(name, accepted, of_job)
            raise TriggerError(f"unknown argument of the {kind} trigger; {hint}", name)


def _meant(word: str, known: Collection[str], of_job: Collection[str] = ()) -> str:
    near = difflib.get_close_matches(word[:80], [*known, *of_job], n=1)
    if near:
        return f"did you mean {near[0]}?"
    beside = f"; of the job: {', '.join(of_job)}" if of_job else ""
    return f"known: {', '.join(known)}{beside}"
