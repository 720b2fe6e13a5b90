"""The tags and filters of the pages; a template loads them as ``scheduler_admin``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from .. import formatting
from ..conf import conf
from ..models import Lease
from ..monitoring import cluster
from .display import labels, outcomes
from .overview import page as overview

register = template.Library()
register.filter("sch_absolute", formatting.absolute)
register.filter("sch_duration", formatting.duration)
register.filter("sch_badge", outcomes.badge)
register.filter("sch_number", formatting.number)
register.filter("sch_ago", formatting.ago)
register.filter("sch_role", labels.role)
register.filter("sch_breakable", labels.breakable)
register.filter("sch_whole_words", labels.whole_words)


@register.simple_tag(takes_context=True)
def scheduler_overview(context: template.Context) -> overview.Overview:
    """Return the overview as the request's user may see it."""
    return overview.read(context["request"].user)


@register.simple_tag(takes_context=True)
def scheduler_cluster(context: template.Context) -> cluster.Cluster | None:
    """Return who leads, for users who may see anything of the scheduler; None for others."""
    if not context["request"].user.has_module_perms("scheduler"):
        return None
    return cluster.read(conf().DATABASE)


@register.simple_tag
def scheduler_paused() -> Lease | None:
    """Return the lease while all scheduler processes are paused: it says by whom and since when."""
    return Lease.objects.using(conf().DATABASE).filter(paused_at__isnull=False).first()


@register.simple_tag
def sch_moment(at: datetime | None, now: datetime) -> Any:
    """Format a time, with the relative time below it."""
    return formatting.moment(at, now)


@register.filter
def sch_wall(at: datetime) -> str:
    """Format a time as the wall clock of its own zone shows it."""
    return formatting.absolute(at, at.tzinfo)


@register.filter
def sch_relative(at: datetime, now: datetime) -> str:
    """Format a time by its distance from now."""
    return formatting.relative(at, now)
