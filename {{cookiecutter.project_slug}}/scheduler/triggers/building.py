"""Triggers from a kind and arguments, as users, forms and JSON name them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from .calendarinterval import CalendarIntervalTrigger
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger
from .crontab import from_crontab
from .errors import TriggerError
from .interval import IntervalTrigger
from .moments import moment
from .stock import normalize
from .zones import key_of, zone_of


def build(kind: str, /, **args: Any) -> BaseTrigger:
    """A checked trigger.

    Args:
        kind: ``date``, ``interval``, ``cron``, ``calendarinterval``, ``crontab`` (``expr``),
            ``and`` or ``or`` (``triggers``: triggers, or mappings with a ``type``).
        args: the arguments of that trigger, by APScheduler's names. Times may be datetimes,
            dates or ISO text, zones may be names; without ``timezone`` the project's is used.

    Raises:
        TriggerError: names the argument at fault, which is also its ``field``.
    """
    check_names(kind, args)
    return KINDS[kind](**args)


def check_names(kind: Any, names: Iterable[str], of_job: Collection[str] = ()) -> None:
    """Whether there is such a kind, with such arguments.

    Args:
        of_job: what the caller takes beside the trigger's arguments, to be suggested as well.

    Raises:
        TriggerError: names the one that is unknown, and what may have been meant.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        found = "missing" if kind is None else f"{kind!r} is unknown"
        raise TriggerError(f"{found}; {_meant(str(kind), tuple(KINDS))}", "type")
    accepted = _accepted(kind, KINDS[kind])
    for name in names:
        if name in of_job:
            raise TriggerError("is of the job, not of its trigger: modify_job() takes it", name)
        if name not in accepted:
            hint = _meant(name, accepted, of_job)
            raise TriggerError(f"unknown argument of the {kind} trigger; {hint}", name)


def _meant(word: str, known: Collection[str], of_job: Collection[str] = ()) -> str:
    near = difflib.get_close_matches(word, [*known, *of_job], n=1)
    if near:
        return f"did you mean {near[0]}?"
    beside = f"; of the job: {', '.join(of_job)}" if of_job else ""
    return f"known: {', '.join(known)}{beside}"


def _accepted(kind: str, make: Callable[..., BaseTrigger]) -> list[str]:
    names = inspect.signature(make).parameters
    if kind == "crontab":
        options = ("start_date", "end_date", "jitter", "gap", "fold")
        return [name for name in names if name != "options"] + list(options)
    return list(names)


def _date(run_date: Any = None, timezone: Any = None) -> DateTrigger:
    own = run_date.tzinfo if isinstance(run_date, datetime) else None
    zone = zone_of(own if own and not timezone and key_of(own) else timezone)
    return DateTrigger(moment(run_date, zone, "run_date") or datetime.now(zone))


def _crontab(expr: Any = None, timezone: Any = None, **options: Any) -> CronTrigger:
    return from_crontab(expr, timezone, **options)


def _and(triggers: Any = (), jitter: Any = None, timezone: Any = None) -> AndTrigger:
    return AndTrigger(_built(triggers, timezone), jitter)


def _or(triggers: Any = (), jitter: Any = None, timezone: Any = None) -> OrTrigger:
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


KINDS: dict[str, Callable[..., BaseTrigger]] = {
    "date": _date,
    "interval": IntervalTrigger,
    "cron": CronTrigger,
    "calendarinterval": CalendarIntervalTrigger,
    "crontab": _crontab,
    "and": _and,
    "or": _or,
}
