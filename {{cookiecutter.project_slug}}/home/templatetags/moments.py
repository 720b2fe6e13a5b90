"""Moments of the landing page."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def moment(at: datetime, now: datetime) -> SafeString:
    """Return ``at`` as a time element: its time of day, and its date unless that is today's."""
    at, now = local(at), local(now)
    form = "H:i:s"
    if at.date() != now.date():
        form = pgettext("date format, as of Django's templates", "j M, H:i")
    if at.year != now.year:
        form = pgettext("date format, as of Django's templates", "j M Y, H:i")
    text = dateformat.format(at, form)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), text)


def local(at: datetime) -> datetime:
    """Return ``at`` in the current time zone, or as it is: no zone shows both ends of time."""
    try:
        return timezone.localtime(at)
    except (OverflowError, ValueError):
        return at
