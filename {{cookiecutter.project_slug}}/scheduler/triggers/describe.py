"""Triggers in words: the phrases that all kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .factory import normalize
from .kind import kind_of
from .timezones import key_of


def describe(trigger: BaseTrigger) -> str:
    """Return the trigger in words of the current language.

    In English for example ``At 03:00, Monday to Friday (UTC)``.
    """
    trigger = normalize(trigger)
    kind = kind_of(trigger)
    return kind.describe(trigger) if kind else str(trigger)


def window(trigger: Any) -> str:
    """Return the phrases for the trigger's start, end, jitter and zone."""
    start = end = ""
    if trigger.start_date:
        start = _(", from %(time)s") % {"time": moment_text(trigger.start_date)}
    if trigger.end_date:
        end = _(", until %(time)s") % {"time": moment_text(trigger.end_date)}
    return f"{start}{end}{jitter_text(trigger)}{in_zone(trigger.timezone)}"


def jitter_text(trigger: Any) -> str:
    """Return the phrase for the trigger's jitter; empty without one."""
    if not trigger.jitter:
        return ""
    return _(", up to %(number)s s later at random") % {"number": f"{trigger.jitter:g}"}


def moment_text(value: Any) -> str:
    """Return a date as it is, and a time as its wall clock shows it."""
    return value.replace(tzinfo=None).isoformat(" ") if isinstance(value, datetime) else str(value)


def in_zone(zone: tzinfo) -> str:
    """Return the phrase that names the zone."""
    return f" ({key_of(zone) or zone})"


def every(span: timedelta) -> str:
    """Return how often something is: ``Every day``, ``Every 1 hour 30 minutes``."""
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    precise: float = seconds + span.microseconds / 1_000_000 if span.microseconds else seconds
    return every_of({"days": span.days, "hours": hours, "minutes": minutes, "seconds": precise})


def every_of(units: Mapping[str, float]) -> str:
    """Return how often something is, from the amounts of units that are not zero."""
    parts = {unit: amount for unit, amount in units.items() if amount}
    if [*parts.values()] == [1]:
        return str(EVERY[next(iter(parts))])
    said = (AMOUNTS[unit](amount) for unit, amount in parts.items())
    return _("Every %(amounts)s") % {"amounts": " ".join(said)}


EVERY = {
    "years": gettext_lazy("Every year"),
    "months": gettext_lazy("Every month"),
    "weeks": gettext_lazy("Every week"),
    "days": gettext_lazy("Every day"),
    "hours": gettext_lazy("Every hour"),
    "minutes": gettext_lazy("Every minute"),
    "seconds": gettext_lazy("Every second"),
}
AMOUNTS: dict[str, Callable[[float], str]] = {
    "years": lambda n: _amount(ngettext("%(number)s year", "%(number)s years", _form(n)), n),
    "months": lambda n: _amount(ngettext("%(number)s month", "%(number)s months", _form(n)), n),
    "weeks": lambda n: _amount(ngettext("%(number)s week", "%(number)s weeks", _form(n)), n),
    "days": lambda n: _amount(ngettext("%(number)s day", "%(number)s days", _form(n)), n),
    "hours": lambda n: _amount(ngettext("%(number)s hour", "%(number)s hours", _form(n)), n),
    "minutes": lambda n: _amount(ngettext("%(number)s minute", "%(number)s minutes", _form(n)), n),
    "seconds": lambda n: _amount(ngettext("%(number)s second", "%(number)s seconds", _form(n)), n),
}


def _form(number: float) -> int:
    """Return the whole number whose plural form a number has that may have a fraction."""
    return int(number) if number == int(number) else 2


def _amount(words: str, number: float) -> str:
    return words % {"number": number}
