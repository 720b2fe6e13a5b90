"""The page "Tasks": how many runs of each task wait, run and failed, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Avg, Count, F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ...conf import conf
from ...db.clock import now
from ...models import Execution
from ...models.execution import PROBLEMS, TASK_PREFIX, Status

MAX_TASKS = 200
"""Tasks that the page lists."""
LAST_RUNS = 500
"""Newest runs of each task that failures and durations are taken from."""


@dataclass(frozen=True)
class TaskSummary:
    """One task, in figures."""

    job_id: str
    queued: int
    running: int
    oldest: datetime | None
    """When the longest queued run was enqueued."""
    failed: int
    mean: timedelta | None

    @property
    def path(self) -> str:
        return self.job_id.removeprefix(TASK_PREFIX)


def tasks_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show every task that has runs."""
    if not request.user.has_perm("scheduler.view_execution"):
        raise PermissionDenied
    context = {
        **site.each_context(request),
        "title": _("Tasks"),
        "opts": Execution._meta,
        "tasks": summaries(conf().DATABASE),
        "at": now(),
        "last_runs": LAST_RUNS,
    }
    return TemplateResponse(request, "admin/scheduler/tasks.html", context)


def summaries(using: str) -> list[TaskSummary]:
    """Return a summary of each task, by name. What is read does not grow with the history."""
    return [_summary(job_id, using) for job_id in _job_ids(using)]


def _job_ids(using: str) -> list[str]:
    """Step through the index from one task to the next, instead of reading all their runs."""
    rows = Execution._base_manager.using(using).order_by("job_id").values_list("job_id", flat=True)
    found: list[str] = []
    after = TASK_PREFIX
    while len(found) < MAX_TASKS:
        job_id = rows.filter(job_id__gt=after).first()
        if job_id is None or not job_id.startswith(TASK_PREFIX):
            break
        found.append(after := job_id)
    return found


def _summary(job_id: str, using: str) -> TaskSummary:
    rows = Execution.objects.using(using).filter(job_id=job_id)
    open_runs: dict[str, Any] = rows.open().aggregate(
        queued=Count("id", filter=Q(status=Status.QUEUED)),
        running=Count("id", filter=Q(status=Status.RUNNING)),
        oldest=Min("queued_at", filter=Q(status=Status.QUEUED)),
    )
    newest = list(rows.order_by("-id").values_list("id", flat=True)[:LAST_RUNS])
    ended: dict[str, Any] = rows.filter(id__in=newest).aggregate(
        failed=Count("id", filter=Q(status__in=PROBLEMS)),
        mean=Avg(F("finished_at") - F("started_at")),
    )
    return TaskSummary(job_id, **open_runs, **ended)
