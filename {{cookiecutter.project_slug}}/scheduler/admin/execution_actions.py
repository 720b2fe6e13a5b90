"""Retry and cancel: for one execution, and for those ticked in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from .. import scheduler
from ..errors import ExecutionLookupError
from ..models import Execution
from ..models.execution import Status
from . import audit, waiting
from .execution_page import find, gone


def retry(request: HttpRequest, execution: Execution) -> Execution | None:
    """The new attempt. None: there is none, and the user was told why."""
    try:
        attempt = scheduler.retry(execution.pk, requested_by=request.user.get_username())
    except (ExecutionLookupError, ValueError) as error:
        messages.error(request, str(error))
        return None
    audit.log(request, execution, f"Retried: attempt {attempt.attempt} is execution #{attempt.pk}")
    messages.success(request, f"Execution #{execution.pk} is tried again as #{attempt.pk}.")
    return attempt


def cancel(request: HttpRequest, execution: Execution) -> Execution | None:
    try:
        cancelled = scheduler.cancel(execution.pk, requested_by=request.user.get_username())
    except (ExecutionLookupError, ValueError) as error:
        messages.error(request, str(error))
        return None
    if cancelled.status == Status.CANCELLED:
        done = "was cancelled before it started."
    else:
        done = "was asked to stop. A process is stopped; a thread ends when its code does."
    audit.log(request, execution, f"Cancel: {execution.status} → {cancelled.status}")
    messages.success(request, f"Execution #{execution.pk} {done}")
    return cancelled


PERMISSIONS = {"retry": "scheduler.run_job", "cancel": "scheduler.cancel_execution"}
CALLS: dict[str, Callable[[HttpRequest, Execution], Execution | None]] = {
    "retry": retry,
    "cancel": cancel,
}


def view(name: str) -> Callable[..., HttpResponse]:
    """The route of one action on one execution: POST only, then the page that shows the result."""

    def respond(request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(PERMISSIONS[name]):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        execution = find(object_id)
        if execution is None:
            return gone(request, object_id)
        shown = CALLS[name](request, execution) or execution
        if shown.status == Status.QUEUED:
            waiting.warn(request)
        if not request.user.has_perm("scheduler.view_execution"):
            return HttpResponseRedirect(reverse("admin:index"))
        return HttpResponseRedirect(reverse("admin:scheduler_execution_change", args=[shown.pk]))

    return respond


@admin.action(description="Try selected executions again", permissions=["run"])
def retry_selected(model_admin: Any, request: HttpRequest, executions: QuerySet) -> None:
    attempts = [retry(request, execution) for execution in executions]
    if any(attempts):
        waiting.warn(request)


@admin.action(description="Cancel selected executions", permissions=["cancel"])
def cancel_selected(model_admin: Any, request: HttpRequest, executions: QuerySet) -> None:
    for execution in executions:
        cancel(request, execution)


SELECTED = (retry_selected, cancel_selected)
