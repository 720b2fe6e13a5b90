"""The page of one execution: what happened to it, when, and what it left."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from .. import serialization
from ..conf import conf
from ..masking import scrubbed, shown
from ..models import Execution, Job
from ..models.execution import FINAL, OPEN, Status
from . import span_bar
from .clock import now
from .execution_query import HEAVY
from .nodes import node_names

TEMPLATE = "admin/scheduler/execution_page.html"
LIVE = 1
MOST_ATTEMPTS = 50


def view(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """GET only: everything that changes it has a route of its own."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    execution = find(object_id)
    if execution is None:
        return gone(request, object_id)
    at = now()
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Execution #{execution.pk}",
        "opts": admin.opts,
        "original": execution,
        "now": at,
        "live": LIVE if execution.status in OPEN else 0,
        "bar": span_bar.draw(execution, at),
        "arguments": shown(execution),
        "job_exists": Job.objects.using(conf().DATABASE).filter(uid=execution.job_uid).exists(),
        "node": node_names([execution.node_id]).get(execution.node_id, "-"),
        "attempts": _attempts(execution),
        **_texts(execution),
        **_neighbours(execution),
        **_offers(request, execution, admin),
    }
    return TemplateResponse(request, TEMPLATE, context)


def find(object_id: str) -> Execution | None:
    number = unquote(object_id)
    if not number.isdecimal() or len(number) > 18:
        return None
    return Execution.objects.using(conf().DATABASE).filter(pk=int(number)).first()


def gone(request: HttpRequest, object_id: str) -> HttpResponse:
    messages.error(request, f"There is no execution {unquote(object_id)} any more.")
    return HttpResponseRedirect(reverse("admin:scheduler_execution_changelist"))


def _texts(execution: Execution) -> dict[str, str]:
    result = execution.return_value
    with suppress(ValueError):  # cut to its limit, it is shown as it is
        result = serialization.readable(json.loads(result), indent=2) if result else ""
    texts = {
        "result": result,
        "log": execution.log,
        "traceback": execution.traceback,
        "exception": execution.exception,
        "reason": execution.reason,
    }
    return {name: scrubbed(text, execution) for name, text in texts.items()}


def _attempts(execution: Execution) -> list[Execution]:
    """All attempts at the same slot, where there is more than this one."""
    if execution.scheduled_run_time is None:
        return []
    attempts = Execution.objects.using(conf().DATABASE).filter(
        job_uid=execution.job_uid, scheduled_run_time=execution.scheduled_run_time
    )
    found = list(attempts.defer(*HEAVY).order_by("attempt")[:MOST_ATTEMPTS])
    return found if len(found) > 1 else []


def _neighbours(execution: Execution) -> dict[str, Any]:
    runs = Execution.objects.using(conf().DATABASE).filter(job_id=execution.job_id)
    return {
        "earlier": runs.filter(pk__lt=execution.pk).order_by("-pk").values("pk").first(),
        "later": runs.filter(pk__gt=execution.pk).order_by("pk").values("pk").first(),
    }


def _offers(request: HttpRequest, execution: Execution, admin: Any) -> dict[str, bool]:
    user = request.user
    asked = execution.status == Status.RUNNING and execution.cancel_requested_at
    return {
        "may_cancel": execution.status in OPEN
        and not asked
        and user.has_perm("scheduler.cancel_execution"),
        "may_retry": execution.status in FINAL and user.has_perm("scheduler.run_job"),
        "may_delete": execution.status in FINAL and admin.has_delete_permission(request),
    }
