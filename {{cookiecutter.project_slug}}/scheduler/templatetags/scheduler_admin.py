"""Tags and filters of the scheduler's admin pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from ..admin import outcomes, overview, times

register = template.Library()
register.filter("sch_absolute", times.absolute)
register.filter("sch_duration", times.duration)
register.filter("sch_badge", outcomes.badge)


@register.simple_tag(takes_context=True)
def scheduler_overview(context: template.Context) -> overview.Overview:
    """The overview as the request's user may see it."""
    return overview.read(context["request"].user)


@register.simple_tag
def sch_moment(at: datetime | None, now: datetime) -> Any:
    return times.moment(at, now)
