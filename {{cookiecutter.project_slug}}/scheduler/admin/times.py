"""Times and durations as the pages write them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..conf import conf

DAY = 86_400
STEPS = (("d", DAY), ("h", 3600), ("min", 60))


def absolute(at: datetime | None, zone: tzinfo | None = None) -> str:
    """In ``zone`` (default: the current one), as ``APSCHEDULER_DATETIME_FORMAT`` says."""
    if at is None:
        return "-"
    return dateformat.format(timezone.localtime(at, zone), conf().DATETIME_FORMAT)


def duration(span: timedelta | float | None) -> str:
    """Two figures at most: ``340 ms``, ``4.2 s``, ``3 min 20 s``, ``2 d 4 h``."""
    if span is None:
        return "-"
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return _two_units(round(seconds))


def relative(at: datetime | None, now: datetime) -> str:
    """``in 5 min``, ``3 h 2 min ago``."""
    if at is None:
        return "-"
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    words = duration(float(round(abs(seconds)))).replace(".0 s", " s")
    return f"in {words}" if seconds > 0 else f"{words} ago"


def moment(at: datetime | None, now: datetime) -> SafeString | str:
    """Absolute, with the relative time below it."""
    if at is None:
        return "-"
    return format_html(
        '<time datetime="{}">{}</time> <span class="sch-quiet">{}</span>',
        at.isoformat(),
        absolute(at),
        relative(at, now),
    )


def in_zone(at: datetime, zone: tzinfo) -> str:
    """The wall clock of another zone, with its name; empty where it shows the same."""
    local = timezone.localtime(at)
    if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return ""
    return f"{absolute(at, zone)} {zone}"


def _two_units(seconds: int) -> str:
    parts = []
    for unit, size in STEPS:
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
        elif parts:
            break
    if seconds and len(parts) < 2 and (not parts or parts[0].endswith("min")):
        parts.append(f"{seconds} s")
    return " ".join(parts[:2])
