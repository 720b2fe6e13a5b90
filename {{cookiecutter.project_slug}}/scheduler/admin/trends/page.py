"""The page "Trends": of all jobs, or of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ...conf import conf
from ...db.clock import now
from ...models import Execution, Job
from ...models.execution import Status
from ...monitoring import cluster, health
from .. import capped
from ..capped import Count
from ..links import url
from . import charts, figures
from .periods import DAY, PERIODS, Bin, Period, cut

LAST_RUNS = 100
TAKEOVERS_LISTED = 10
MARKED_FOR = 7 * DAY
"""Take-overs are marked for a week; a month of daily deploys would be nothing but marks."""


@dataclass(frozen=True)
class Now:
    """How much there is to do at this moment, and who does it."""

    due: health.Due
    running: Count
    cluster: cluster.Cluster


def trends_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the trends of a period, of all jobs or of the one that ``?job=`` names."""
    if not request.user.has_perm("scheduler.view_execution"):
        raise PermissionDenied
    job_id = request.GET.get("job", "").replace("\0", "")  # no database takes it in a text
    offered = [each for each in PERIODS.values() if job_id or not each.of_one_job]
    asked = request.GET.get("period", "")
    period = next((each for each in offered if each.name == asked), PERIODS["day"])
    using, at = conf().DATABASE, now()
    context = {
        **site.each_context(request),
        "opts": Execution._meta,
        "at": at,
        "period": period,
        "periods": offered,
        "unknown_period": asked if asked != period.name else "",
        "period_of_all": "month" if period.of_one_job else period.name,
        "behind": figures.behind_since(at, using),
        "keep_days": conf().KEEP_DAYS,
        "executions": url(request, "scheduler_execution_changelist"),
        "job_id": job_id,
    }
    shown = _of_job(request, job_id, period, at) if job_id else _of_all(request, period, at)
    return TemplateResponse(request, "admin/scheduler/trends.html", context | shown)


def _of_all(request: HttpRequest, period: Period, at: datetime) -> dict[str, Any]:
    using = conf().DATABASE
    bins = cut(period, at, utc=False)
    found = figures.by_bin(figures.rows_of_all(using), bins)
    lists = _lists(request, bins, at)
    terms = figures.takeovers(max(bins[0].start, at - MARKED_FOR), using)
    drawn = [charts.runs(bins, found, lists), charts.start_lag(bins, found, lists)]
    for each in drawn:
        each.events = charts.events(bins, terms)
    since = cut(period, at, utc=True)[0].start  # as the rows of single jobs are cut
    return {
        "title": _("Trends"),
        "charts": drawn,
        "now": read_now(using, at),
        "rankings": figures.rankings(period, since, using),
        "since": urlencode({"from": since.isoformat()}),
        "takeovers": terms[:TAKEOVERS_LISTED],
        "more_takeovers": max(len(terms) - TAKEOVERS_LISTED, 0),
    }


def _of_job(request: HttpRequest, job_id: str, period: Period, at: datetime) -> dict[str, Any]:
    using = conf().DATABASE
    job = Job.objects.using(using).filter(pk=job_id).first()
    bins = cut(period, at, utc=True)
    found = figures.by_bin(figures.rows_of_job(job_id, period, using), bins)
    lists = _lists(request, bins, at, job=job_id)
    started = Execution.objects.using(using).filter(job_id=job_id).order_by("-id")[: 2 * LAST_RUNS]
    ran = [run for run in capped.glances([started]) if run.duration is not None]
    last = sorted(ran, key=lambda run: run.pk)[-LAST_RUNS:]
    addresses = [url(request, "scheduler_execution_change", run.pk) for run in last]
    drawn = [
        charts.durations(bins, found, lists, job),
        charts.last_runs(last, addresses, job),
        charts.runs(bins, found, lists),
        charts.start_lag(bins, found, lists),
    ]
    name = figures.name_of(job_id, job)
    return {
        "title": _("Trends of %(name)s") % {"name": name},
        "charts": [each for each in drawn if each.rows],
        "job": job,
        "name": name,
        "days_of_utc": not period.by_hour,
    }


def _lists(request: HttpRequest, bins: Sequence[Bin], at: datetime, **filters: str) -> list[str]:
    """Return the list of each bin's executions; empty where they are deleted by now."""
    kept = at - timedelta(days=conf().KEEP_DAYS)
    address = url(request, "scheduler_execution_changelist")
    more = "".join(f"&{urlencode({name: value})}" for name, value in filters.items())
    return [f"{address}?{each.query}{more}" if each.end > kept else "" for each in bins]


def read_now(using: str, at: datetime) -> Now:
    """Return how much there is to do, as far as pages count."""
    running = Execution.objects.using(using).filter(status=Status.RUNNING)
    return Now(
        health.read_due(at, using),
        capped.shown_counts([running])[0],
        cluster.read(using, at),
    )
