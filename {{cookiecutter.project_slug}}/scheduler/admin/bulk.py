"""Actions on the jobs that are ticked in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from . import run_now, waiting
from .job_actions import ACTIONS, JobAction, perform

NEEDS = {"pause_job": "pause", "change_job": "change"}


@admin.action(description="Run selected jobs now", permissions=["run"])
def run_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    if "confirmed" not in request.POST:
        return _ask(model_admin, request, jobs, "Run these jobs now?", "run_selected.html")
    asked = [run_now.start(request, job) for job in jobs]
    if any(asked):
        waiting.warn(request)
    return None


@admin.action(description="Remove selected jobs", permissions=["delete"])
def delete_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    """In place of Django's, which speaks of deleting."""
    if "post" not in request.POST:
        return _ask(model_admin, request, jobs, "Remove these jobs?", "jobs_delete.html")
    number = len(jobs)
    model_admin.log_deletions(request, jobs)
    model_admin.delete_queryset(request, jobs)
    messages.success(request, f"{number} job{pluralize(number)} removed.")
    return None


def _ask(
    model_admin: Any, request: HttpRequest, jobs: QuerySet, title: str, template: str
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "jobs": jobs,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, f"admin/scheduler/{template}", context)


def _on_selected(action: JobAction) -> Callable[..., None]:
    def act(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
        for job in jobs:
            perform(request, action, job.pk)

    act.__name__ = f"{action.name}_selected"
    first, _, rest = action.verb.partition(" ")
    words = f"{first} selected jobs {rest}".strip()
    return admin.action(description=words, permissions=[NEEDS[action.permission]])(act)


SELECTED = (
    run_selected,
    *(_on_selected(action) for action in ACTIONS.values()),
    delete_selected,
)
