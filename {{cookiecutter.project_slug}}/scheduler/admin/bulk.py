"""Actions on the jobs that are ticked in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from . import run_now
from .job_actions import ACTIONS, JobAction, perform

NEEDS = {"pause_job": "pause", "change_job": "change"}


@admin.action(description="Run selected jobs now", permissions=["run"])
def run_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    if "confirmed" not in request.POST:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Run these jobs now?",
            "opts": model_admin.opts,
            "jobs": jobs,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/scheduler/run_selected.html", context)
    for job in jobs:
        run_now.start(request, job)
    return None


def _on_selected(action: JobAction) -> Callable[..., None]:
    def act(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
        for job in jobs:
            perform(request, action, job.pk)

    act.__name__ = f"{action.name}_selected"
    words = action.verb.replace("Reset", "Reset selected jobs") if action.declared else ""
    return admin.action(
        description=words or f"{action.verb}: selected jobs",
        permissions=[NEEDS[action.permission]],
    )(act)


SELECTED = (run_selected, *(_on_selected(action) for action in ACTIONS.values()))
