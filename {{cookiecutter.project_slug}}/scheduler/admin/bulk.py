"""Actions on the jobs that are ticked in the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote, unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from ..models import Job
from . import run_now, waiting
from .job_actions import ACTIONS, JobAction, perform

NEEDS = {"pause_job": "pause", "change_job": "change"}


@admin.action(description="Run selected jobs now", permissions=["run"])
def run_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    if "confirmed" not in request.POST:
        return _ask(model_admin, request, jobs, "Run these jobs now?", "run_selected.html")
    asked = [run_now.start(request, job) for job in _confirmed(request, jobs)]
    if any(asked):
        waiting.warn(request)
    return None


@admin.action(description="Remove selected jobs", permissions=["delete"])
def delete_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    """In place of Django's, which speaks of deleting."""
    if "post" not in request.POST:
        return _ask(model_admin, request, jobs, "Remove these jobs?", "jobs_delete.html")
    confirmed = _confirmed(request, jobs)
    number = len(confirmed)
    model_admin.log_deletions(request, confirmed)
    model_admin.delete_queryset(request, confirmed)
    messages.success(request, f"{number} job{pluralize(number)} removed.")
    return None


def _ask(
    model_admin: Any, request: HttpRequest, jobs: QuerySet, title: str, template: str
) -> HttpResponse:
    rows = list(jobs)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "jobs": rows,
        "listed": ",".join(quote(job.pk) for job in rows),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, f"admin/scheduler/{template}", context)


def _confirmed(request: HttpRequest, jobs: Iterable[Job]) -> Sequence[Job]:
    """Those that the confirmation listed: in one field, as Django refuses a form with thousands."""
    if "listed" not in request.POST:
        return list(jobs)
    listed = {unquote(pk) for pk in request.POST["listed"].split(",")}
    return [job for job in jobs if job.pk in listed]


def _on_selected(action: JobAction) -> Callable[..., None]:
    def act(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
        passed_over: Counter[str] = Counter()
        for job in jobs:
            if job.state in action.applies:
                perform(request, action, job.pk)
            else:
                passed_over[job.get_state_display()] += 1
        if number := passed_over.total():
            states = ", ".join(f"{count} {state}" for state, count in passed_over.items())
            told = f"{action.verb} passed over {number} job{pluralize(number)}: {states}."
            messages.warning(request, told)

    act.__name__ = f"{action.name}_selected"
    first, _, rest = action.verb.partition(" ")
    words = f"{first} selected jobs {rest}".strip()
    return admin.action(description=words, permissions=[NEEDS[action.permission]])(act)


SELECTED = (
    run_selected,
    *(_on_selected(action) for action in ACTIONS.values()),
    delete_selected,
)
