"""What callers may give as a trigger, a zone or an executor. Imports no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import astimezone
from django.conf import settings

from . import policies, triggers
from .conf import conf

EXECUTORS = ("default", "processes")
KINDS = frozenset(triggers.KINDS)
OF_JOB = ("name", "args", "kwargs", "executor", "coalesce", "max_instances", "misfire_grace_time",
          *policies.POLICY_NAMES)  # fmt: skip
"""What a job takes beside its trigger, to recognise where it is misspelt."""


def make_trigger(given: Any, arguments: Mapping[str, Any], timezone: Any = None) -> BaseTrigger:
    """A trigger from a trigger, a kind ("interval") or a crontab line ("0 3 * * *", "@daily").

    Args:
        timezone: for a trigger that names none; the project's zone if None.

    Raises:
        TriggerError, TypeError: what is given makes no trigger; the message names the field.
    """
    if isinstance(given, BaseTrigger):
        if arguments:
            names = ", ".join(sorted(arguments))
            raise TypeError(f"A trigger object takes no further arguments: {names}")
        return triggers.normalize(given)
    if given is not None and not isinstance(given, str):
        found = given.__class__.__name__
        raise TypeError(f"Expected a trigger instance or string, got {found} instead")
    options = {"timezone": timezone or default_zone(), **arguments}
    if given and (given.startswith("@") or len(given.split()) > 1):
        triggers.check_names("crontab", options, OF_JOB)
        return triggers.build("crontab", expr=given, **options)
    triggers.check_names(given or "date", options, OF_JOB)
    return triggers.build(given or "date", **options)


def default_zone() -> tzinfo:
    """The zone of triggers that name none."""
    return astimezone(conf().TIMEZONE or settings.TIME_ZONE)


def known_executor(alias: Any, *, added: Iterable[str] = ()) -> Any:
    """The alias of an executor, one of ours or one that was ``added``.

    Raises:
        ValueError: there is no such executor.
    """
    known = list(dict.fromkeys([*EXECUTORS, *added]))
    if isinstance(alias, str) and alias not in known:
        raise ValueError(f"Unknown executor {alias!r}; known are {', '.join(known)}")
    return alias
