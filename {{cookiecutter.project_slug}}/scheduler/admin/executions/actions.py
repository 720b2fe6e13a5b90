"""Retry and cancel: for one execution, and for those ticked in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import scheduler
from ...errors import ExecutionLookupError
from ...models import Execution
from ...models.execution import Status
from .. import log, no_scheduler
from ..links import press_again, url
from .page import find, gone


def retry(request: HttpRequest, execution: Execution) -> Execution | None:
    """Queue one more attempt, and return it. None: there is none, and the user was told why."""
    try:
        attempt = scheduler.retry(execution.pk, requested_by=request.user.get_username())
    except (ExecutionLookupError, ValueError) as error:
        messages.error(request, str(error))
        return None
    log.record(request, execution, f"Retried: attempt {attempt.attempt} is execution #{attempt.pk}")
    told = _("Execution #%(number)s is tried again as #%(other)s.")
    messages.success(request, told % {"number": execution.pk, "other": attempt.pk})
    return attempt


def cancel(request: HttpRequest, execution: Execution) -> Execution | None:
    """Request that the execution is cancelled, and tell the user what follows."""
    try:
        cancelled = scheduler.cancel(execution.pk, requested_by=request.user.get_username())
    except (ExecutionLookupError, ValueError) as error:
        messages.error(request, str(error))
        return None
    if cancelled.status == Status.CANCELLED:
        told = _("Execution #%(number)s was cancelled before it started.")
    else:
        told = _(
            "Execution #%(number)s was asked to stop. A process is stopped; a thread ends when its "
            "code does."
        )
    log.record(request, execution, f"Cancel: {execution.status} → {cancelled.status}")
    messages.success(request, told % {"number": execution.pk})
    return cancelled


PERMISSIONS = {"retry": "scheduler.run_job", "cancel": "scheduler.cancel_execution"}
CALLS: dict[str, Callable[[HttpRequest, Execution], Execution | None]] = {
    "retry": retry,
    "cancel": cancel,
}


def action_view(name: str) -> Callable[..., HttpResponse]:
    """Make the route of one action on one execution: POST only, then the page with the result."""

    def respond(request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(PERMISSIONS[name]):
            raise PermissionDenied
        execution = find(object_id)
        if execution is None:
            return gone(request, object_id)
        if request.method != "POST":
            return press_again(request, way_back(request, execution))
        shown = CALLS[name](request, execution) or execution
        if shown.status == Status.QUEUED:
            no_scheduler.warn(request)
        return HttpResponseRedirect(way_back(request, shown))

    return respond


def way_back(request: HttpRequest, execution: Execution) -> str:
    """Return the execution's page, or the index for those who may not see it."""
    if not request.user.has_perm("scheduler.view_execution"):
        return url(request, "index")
    return url(request, "scheduler_execution_change", execution.pk)


@admin.action(description=gettext_lazy("Try selected executions again"), permissions=["run"])
def retry_selected(model_admin: Any, request: HttpRequest, executions: QuerySet) -> None:
    attempts = [retry(request, execution) for execution in executions]
    if any(attempts):
        no_scheduler.warn(request)


@admin.action(description=gettext_lazy("Cancel selected executions"), permissions=["cancel"])
def cancel_selected(model_admin: Any, request: HttpRequest, executions: QuerySet) -> None:
    for execution in executions:
        cancel(request, execution)


SELECTED = (retry_selected, cancel_selected)
