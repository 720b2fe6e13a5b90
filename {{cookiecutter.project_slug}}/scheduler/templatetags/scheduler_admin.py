"""Tags and filters of the scheduler's admin pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.contrib.admin.utils import quote
from django.urls import reverse

from ..admin import job_actions, labels, outcomes, overview, times
from ..models import Job

register = template.Library()
register.filter("sch_absolute", times.absolute)
register.filter("sch_duration", times.duration)
register.filter("sch_badge", outcomes.badge)
register.filter("sch_breakable", labels.breakable)


@register.simple_tag(takes_context=True)
def scheduler_overview(context: template.Context) -> overview.Overview:
    """The overview as the request's user may see it."""
    return overview.read(context["request"].user)


@register.simple_tag
def sch_moment(at: datetime | None, now: datetime) -> Any:
    return times.moment(at, now)


@register.filter
def sch_wall(at: datetime) -> str:
    """As the wall clock of its own zone shows it."""
    return times.absolute(at, at.tzinfo)


@register.filter
def sch_relative(at: datetime, now: datetime) -> str:
    return times.relative(at, now)


@register.filter
def sch_action_url(action: job_actions.JobAction, job: Job) -> str:
    return reverse(f"admin:scheduler_job_{action.name}", args=[quote(job.pk)])
