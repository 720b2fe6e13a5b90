"""Times, durations and names as pages, tables and mails write them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from django.utils import dateformat, formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .conf import Conf, conf

DAY = 86_400


def english() -> AbstractContextManager[None]:
    """Return a context in which everything is in English: what is stored, and what scripts read."""
    return translation.override(None)


def absolute(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Format a time in ``zone`` (default: the current one) as ``_format()`` says."""
    if at is None:
        return "-"
    return dateformat.format(local(at, zone), _format())


def _format() -> str:
    """Return ``APSCHEDULER_DATETIME_FORMAT``; without one, as the language writes dates.

    English pages and whatever is stored write them as ISO 8601 does: 3/4/2026 is two days.
    """
    form = conf().DATETIME_FORMAT
    language = translation.get_language()
    if form != Conf.DATETIME_FORMAT or not language or language.startswith("en"):
        return form
    return f"{formats.get_format('SHORT_DATE_FORMAT')} H:i:s"


def local(at: datetime, zone: tzinfo | None = None) -> datetime:
    """Return ``at`` in ``zone`` (default: the current one); in its own, where that has no such day.

    The first and the last day of the calendar exist in half of the zones only.
    """
    try:
        return timezone.localtime(at, zone)
    except (OverflowError, ValueError):
        return at


def duration(span: timedelta | float | None) -> str:
    """Format seconds in two figures at most: ``340 ms``, ``4.2 s``, ``3 min 20 s``, ``2 d 4 h``."""
    if span is None:
        return "-"
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 0.9995:  # else it would round to 1000 ms
        return _("%(number)s ms") % {"number": f"{seconds * 1000:.0f}"}
    if seconds < 60:
        return _seconds(number(seconds, 1) if seconds < 10 else f"{seconds:.0f}")
    return _two_units(round(seconds))


def relative(at: datetime | None, now: datetime) -> str:
    """Format a time by its distance from ``now``: ``in 5 min``, ``3 h 2 min ago``."""
    if at is None:
        return "-"
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return pgettext("moment", "now")
    words = whole_duration(round(abs(seconds)))
    return ahead(words) if seconds > 0 else ago(words)


def whole_duration(seconds: float) -> str:
    """Format seconds as ``duration`` does, but without a fraction: ``1 s``."""
    return _seconds(f"{seconds:.0f}") if 1 <= seconds < 60 else duration(float(seconds))


def ahead(span: str) -> str:
    """Return the words for a moment that lies so far ahead."""
    return _("in %(time)s") % {"time": span}


def ago(span: str) -> str:
    """Return the words for a moment that is so long ago."""
    return _("%(time)s ago") % {"time": span}


def number(value: float, decimals: int = 0) -> str:
    """Write a number for people: digits grouped, with the language's decimal sign."""
    if translation.get_language() is None:
        return f"{value:,.{decimals}f}"
    rounded = Decimal(f"{value:.{decimals}f}")  # it would cut the digits off
    return formats.number_format(rounded, decimals, use_l10n=True, force_grouping=True)


def moment(at: datetime | None, now: datetime) -> SafeString | str:
    """Format a time as HTML: absolute, with the relative time below it."""
    if at is None:
        return "-"
    return format_html(
        '<time datetime="{}">{}</time> <span class="sch-quiet">{}</span>',
        at.isoformat(),
        absolute(at),
        relative(at, now),
    )


def in_zone(at: datetime, zone: tzinfo) -> str:
    """Format a time by the wall clock of another zone; empty where that shows the same."""
    if local(at, zone).replace(tzinfo=None) == local(at).replace(tzinfo=None):
        return ""
    return f"{absolute(at, zone)} {zone}"


def _two_units(seconds: int) -> str:
    days, hours = divmod(seconds, DAY)
    hours, minutes = divmod(hours, 3600)
    minutes, seconds = divmod(minutes, 60)
    parts = [
        (days, _("%(number)s d")),
        (hours, _("%(number)s h")),
        (minutes, _("%(number)s min")),
        (seconds, _("%(number)s s")),
    ]
    first = next(place for place, (amount, _unit) in enumerate(parts) if amount)
    said = [each for each in parts[first : first + 2] if each[0]]
    return " ".join(unit % {"number": amount} for amount, unit in said)


def _seconds(amount: str) -> str:
    return _("%(number)s s") % {"number": amount}


def escaped(text: str) -> str:
    """Return the text with each character that a terminal would obey, or hide, in hexadecimal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def one_line(text: str, limit: int = 200) -> str:
    """Return the text on one line of at most ``limit`` characters, control characters escaped.

    An id may hold anything: a newline would forge a log line and is refused in a mail's subject.
    """
    shown = escaped(text[:limit])  # first cut: the text may be of any length
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return f"{shown[: limit - 1]}…"
