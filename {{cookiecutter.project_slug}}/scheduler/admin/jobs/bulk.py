"""Actions on the jobs that are ticked in the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote, unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...models import Job
from .. import no_scheduler
from .actions import ACTIONS, JobAction, perform, perform_many
from .run_now import start_run

AT_ONCE = 500
"""Jobs in memory, and in one statement: SQLite takes some thousands at most."""
NEEDS = {"pause_job": "pause", "change_job": "change"}


@admin.action(description=gettext_lazy("Run selected jobs now"), permissions=["run"])
def run_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    """Run each of the ticked jobs once, now."""
    if "confirmed" not in request.POST:
        return _ask(model_admin, request, jobs, _("Run these jobs now?"), "run_selected.html")
    asked = [start_run(request, job) for job in _confirmed(request, jobs)]
    if any(asked):
        no_scheduler.warn(request)
    return None


@admin.action(description=gettext_lazy("Remove selected jobs"), permissions=["delete"])
def delete_selected(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
    """Remove the jobs, in place of Django's action, which speaks of deleting."""
    if "post" not in request.POST:
        return _ask(model_admin, request, jobs, _("Remove these jobs?"), "jobs_delete.html")
    confirmed = list(_confirmed(request, jobs))
    number = len(confirmed)
    model_admin.log_deletions(request, confirmed)
    model_admin.delete_queryset(request, confirmed)
    told = ngettext("%(number)s job removed.", "%(number)s jobs removed.", number)
    messages.success(request, told % {"number": number})
    return None


def _ask(
    model_admin: Any,
    request: HttpRequest,
    jobs: QuerySet,
    title: str,
    template: str,
    action: JobAction | None = None,
) -> HttpResponse:
    rows = list(jobs)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "jobs": rows,
        "action": action,
        "listed": ",".join(quote(job.pk) for job in rows),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, f"admin/scheduler/{template}", context)


def _confirmed(request: HttpRequest, jobs: QuerySet) -> Iterator[Job]:
    """Yield the jobs that the confirmation listed, or all where there was none.

    They come in one field, as Django refuses a form with thousands.
    """
    if "listed" not in request.POST:
        yield from _in_order(jobs)
        return
    listed = {unquote(pk) for pk in request.POST["listed"].split(",")}
    yield from (job for job in _in_order(jobs) if job.pk in listed)


def _in_order(jobs: QuerySet) -> Iterator[Job]:
    """Yield jobs of which some hundreds are in memory, whatever becomes of those before."""
    rest = jobs.order_by("pk")
    while page := list(rest[:AT_ONCE]):
        yield from page
        rest = jobs.order_by("pk").filter(pk__gt=page[-1].pk)


def _apply(request: HttpRequest, action: JobAction, jobs: Iterable[Job]) -> None:
    passed_over: Counter[str] = Counter()
    done = 0
    jobs = iter(jobs)
    while some := list(islice(jobs, AT_ONCE)):
        fitting = [job.pk for job in some if job.state in action.applies]
        passed_over.update(
            str(job.get_state_display()) for job in some if job.state not in action.applies
        )
        if action.call_many:
            done_now = perform_many(request, action, fitting)
            passed_over.update({_("changed meanwhile"): len(fitting) - done_now})
        else:
            done_now = sum(perform(request, action, pk, quiet=True) for pk in fitting)
        done += done_now
    passed_over = +passed_over
    if done:
        told = ngettext("%(number)s job: %(done)s", "%(number)s jobs: %(done)s", done)
        messages.success(request, told % {"number": done, "done": action.done})
    if number := passed_over.total():
        states = ", ".join(f"{count} {state}" for state, count in passed_over.items())
        told = ngettext(
            "%(action)s passed over %(number)s job: %(states)s.",
            "%(action)s passed over %(number)s jobs: %(states)s.",
            number,
        )
        what = {"action": action.verb, "number": number, "states": states}
        messages.warning(request, told % what)


def _on_selected(action: JobAction) -> Callable[..., HttpResponse | None]:
    def act(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> HttpResponse | None:
        asks = action.asks and "confirmed" not in request.POST
        if asks and jobs.filter(state__in=action.applies).exists():
            title = _("%(action)s these jobs?") % {"action": action.verb}
            return _ask(model_admin, request, jobs, title, "jobs_confirm.html", action)
        _apply(request, action, _confirmed(request, jobs))
        return None

    act.__name__ = f"{action.name}_selected"
    needed = [NEEDS[action.permission]]
    return admin.action(description=action.on_selected, permissions=needed)(act)


SELECTED = (
    run_selected,
    *(_on_selected(action) for action in ACTIONS.values()),
    delete_selected,
)
