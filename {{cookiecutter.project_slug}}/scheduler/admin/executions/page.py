"""The page of one execution: what happened to it, when, and what it left."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ... import formatting, serialization
from ...conf import conf
from ...db.clock import now
from ...masking import scrubbed, shown
from ...models import Execution, Job
from ...models.execution import FINAL, OPEN, Status
from ...monitoring import tracebacks
from ..display.labels import node_names
from ..links import lead_on
from . import related

TEMPLATE = "admin/scheduler/execution_page.html"
LIVE = 1
BAR_WIDTH, MIN_PART = 600.0, 2.0


def view(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """Show one execution. GET only: everything that changes it has a route of its own."""
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
        "title": _("Execution #%(number)s") % {"number": execution.pk},
        "opts": admin.opts,
        "original": execution,
        "now": at,
        "live": LIVE if execution.status in OPEN else 0,
        "bar": span_bar(execution, at),
        "arguments": shown(execution),
        "job_exists": Job.objects.using(conf().DATABASE).filter(uid=execution.job_uid).exists(),
        "node": node_names([execution.node_id]).get(execution.node_id, "-"),
        "attempts": related.attempts(execution),
        "comparison": related.comparison(execution),
        **_texts(execution),
        **related.neighbours(execution),
        **_offers(request, execution, admin),
    }
    return TemplateResponse(request, TEMPLATE, context)


def find(object_id: str) -> Execution | None:
    """Return the execution, or None."""
    number = unquote(object_id)
    if not number.isdecimal() or len(number) > 18:
        return None
    return Execution.objects.using(conf().DATABASE).filter(pk=int(number)).first()


def gone(request: HttpRequest, object_id: str) -> HttpResponse:
    """Tell the user that there is no such execution, and lead on."""
    told = _("There is no execution %(number)s any more.")
    messages.error(request, told % {"number": unquote(object_id)})
    return lead_on(request, Execution)


# ECMA-48 and ECMA-35: sequences such as colours, strings such as titles and links, choices of
# character sets, which "tput sgr0" sends, and what is left of any that was cut.
ANSI_CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9b-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]|\x1b[0-~]?"
)


def plain(text: str) -> str:
    """Return ``text`` without the codes that colour a terminal."""
    return ANSI_CODES.sub("", text)


def _texts(execution: Execution) -> dict[str, Any]:
    result = execution.return_value
    with suppress(ValueError):  # cut to its limit, it is shown as it is
        result = serialization.readable(serialization.parse(result), indent=2) if result else ""
    texts = {
        "result": result,
        "log": execution.log,
        "traceback": execution.traceback,
        "exception": execution.exception,
        "reason": execution.reason,
    }
    # A secret may hold such codes, or be coloured in part: masked before and after.
    shown_texts: dict[str, Any] = {
        name: scrubbed(plain(scrubbed(text, execution)), execution) for name, text in texts.items()
    }
    return shown_texts | {"traceback": tracebacks.parts(shown_texts["traceback"])}


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


@dataclass(frozen=True)
class Part:
    kind: str
    x: float
    width: float
    title: str


@dataclass(frozen=True)
class SpanBar:
    parts: list[Part]
    title: str


def span_bar(execution: Execution, now: datetime) -> SpanBar | None:
    """Compute the picture of waiting and running; None for a run that was never to start."""
    due, started = execution.due_at, execution.started_at
    end = execution.finished_at or now
    if started is None and execution.finished_at is not None:
        return None
    waited = ((started or end) - due).total_seconds()
    ran = (end - started).total_seconds() if started else 0.0
    word = _("waited %(duration)s") if started else _("waiting %(duration)s")
    stretches = [(word, "queued", max(waited, 0.0))]
    if started:
        stretches.append((_("ran %(duration)s"), execution.status, max(ran, 0.0)))
    whole = sum(seconds for *_names, seconds in stretches) or 1.0
    parts, x = [], 0.0
    for word, kind, seconds in stretches:
        width = max(seconds / whole * (BAR_WIDTH - MIN_PART * len(stretches)), MIN_PART)
        title = word % {"duration": formatting.duration(seconds)}
        parts.append(Part(kind, round(x, 1), round(width, 1), title))
        x += width
    return SpanBar(parts, ", ".join(part.title for part in parts))
