"""The page of one job, and the form that adds or changes it."""

from __future__ import annotations

from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from ... import formatting
from ...conf import conf
from ...db.clock import now
from ...definitions import declarations
from ...definitions.loading import why_set_aside
from ...masking import scrubbed, shown
from ...models import Change, Job
from ...models.change import Action
from ...models.job import JobState
from ...triggers import zone_of
from .. import version
from ..display import schedules, sparkline
from ..fields.arguments import ask_again
from ..links import lead_on, tell_gone, url
from ..selection import NUL
from . import save
from .actions import ACTIONS, undeclared
from .form import JobForm, sections
from .functions import Choosable, functions
from .overrides import overrides

FORM = "admin/scheduler/job_page.html"
CHOOSE = "admin/scheduler/job_choose.html"
MAX_NAME = 80
"""Characters of a function's name in a message."""


@sensitive_post_parameters()  # no report of a failure shows the arguments
def add(request: HttpRequest, admin: Any) -> HttpResponse:
    """Add a job: first ask which function, then the rest."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    known = functions()
    like = _to_clone(request, admin)
    chosen = _own(like, known) if like else known.get(request.GET.get("func", ""))
    if chosen is None:
        if asked := request.GET.get("func"):
            told = _("“%(name)s” is none of the functions below.")
            messages.error(request, told % {"name": asked[:MAX_NAME]})
        return _choose(request, admin, known, None)
    form = JobForm(_sent(request), chosen=chosen, like=like)
    if like:
        form.fields["id"].initial = save.free_id(like.pk)
    if _to_save(request, form) and (job := save.add(request, form)):
        messages.success(request, _("Job %(job)s was added.") % {"job": job})
        return HttpResponseRedirect(url(request, "scheduler_job_change", job.pk))
    title = chosen.function.__name__ if like is None else _("as %(job)s") % {"job": like}
    return _render(request, admin, _("Add a job: %(name)s") % {"name": title}, None, form)


@sensitive_post_parameters()
def change(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """Show what the job is and does, and the form for those who may change it."""
    job = Job.objects.using(conf().DATABASE).filter(pk=unquote(object_id)).first()
    if not admin.has_view_or_change_permission(request, job):
        raise PermissionDenied
    if job is None:
        tell_gone(request, unquote(object_id))
        return lead_on(request, Job)
    may_change = admin.has_change_permission(request, job)
    if request.method not in ("GET", "HEAD") and not may_change:
        raise PermissionDenied
    if not may_change or job.state == JobState.RETIRED:
        if request.method == "POST":  # it was retired while the form was open
            told = _("Job %(job)s is retired: nothing was saved.")
            messages.error(request, told % {"job": job})
        return _render(request, admin, str(job), job, None)
    known = functions()
    if "choose" in request.GET:
        return _choose(request, admin, known, job)
    form = JobForm(
        _sent(request),
        chosen=known.get(request.GET.get("func", "")) or _own(job, known),
        job=job,
        initial={"read": version.version_of(job)},
    )
    if _to_save(request, form) and (changed := save.change(request, form)):
        messages.success(request, _("Job %(job)s was saved.") % {"job": changed})
        return HttpResponseRedirect(url(request, "scheduler_job_change", changed.pk))
    return _render(request, admin, str(job), job, form)


def _to_clone(request: HttpRequest, admin: Any) -> Job | None:
    """Return the job that the new one starts from, if the address names one that may be seen."""
    asked = request.GET.get("from", "").replace(NUL, "")
    job = Job.objects.using(conf().DATABASE).filter(pk=asked).first()
    if job is not None and not admin.has_view_or_change_permission(request, job):
        raise PermissionDenied
    if job is None and "from" in request.GET:
        tell_gone(request, asked)
    return job


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _to_save(request: HttpRequest, form: JobForm) -> bool:
    return request.method == "POST" and form.is_valid() and "_preview" not in request.POST


def _own(job: Job, known: dict[str, Choosable]) -> Choosable | None:
    """Return the job's function; also one that no list offers, such as a job added by code."""
    if job.func in known:
        return known[job.func]
    from ...definitions import references

    try:
        return Choosable(job.func, references.resolve(job.func))
    except references.FunctionError:
        return None


def _choose(
    request: HttpRequest, admin: Any, known: dict[str, Choosable], job: Job | None
) -> HttpResponse:
    by_app: dict[str, list[Choosable]] = {}
    for each in known.values():
        by_app.setdefault(each.app, []).append(each)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Another function for %(job)s") % {"job": job}
        if job
        else _("Add a job: what shall run?"),
        "opts": admin.opts,
        "original": job,
        "by_app": by_app,
    }
    return TemplateResponse(request, CHOOSE, context)


def _render(
    request: HttpRequest, admin: Any, title: str, job: Job | None, form: JobForm | None
) -> HttpResponse:
    if form:
        ask_again(form)
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        "original": job,
        "form": form,
        "sections": sections(form) if form else (),
        "preview": _preview(form) if form else None,
        "add": job is None,
        "may_add": admin.has_add_permission(request),
        "has_delete_permission": bool(job) and admin.has_delete_permission(request, job),
    }
    if job:
        context |= _facts(request, job)
    return TemplateResponse(request, FORM, context)


def _preview(form: JobForm) -> dict[str, Any] | None:
    """Compute the runs that the entered schedule would bring."""
    if not form.is_bound or form.trigger is None:
        return None
    job = form.job
    first = None
    if job and job.state == JobState.ACTIVE and not form.schedule_changed:
        first = job.next_run_time
    at = now()
    return {
        "words": schedules.triggers.describe(form.trigger),
        "zone": zone_of(form.trigger),
        "runs": schedules.coming(form.trigger, at, first),
        "now": at,
        "jitter": getattr(form.trigger, "jitter", None),
    }


def _facts(request: HttpRequest, job: Job) -> dict[str, Any]:
    at, trigger = now(), schedules.trigger_of(job)
    if job.declared:
        declarations.autodiscover()
    recent = []
    if request.user.has_perm("scheduler.view_execution"):
        recent = sparkline.latest([job.pk], conf().DATABASE).get(job.pk, [])
    runs = []
    if trigger and job.next_due:
        runs = schedules.coming(trigger, at, job.next_due)
    return {
        "now": at,
        "words": schedules.words(job),
        "zone": zone_of(trigger) if trigger else None,
        "next_local": _elsewhere(job, trigger),
        "runs": runs,
        "recent": recent[:10],
        "strip": sparkline.draw(recent),
        "mean": sparkline.mean_duration(recent),
        "arguments": shown(job),
        "error": scrubbed(why_set_aside(job), job),
        "undeclared": undeclared(job),
        "overrides": overrides(job),
        "may_reset": ACTIONS["reset"].offered(job, request.user),
        "state_since": _state_since(job),
        "offered": [a for a in ACTIONS.values() if a.offered(job, request.user)],
        "may_run": job.can_run and request.user.has_perm("scheduler.run_job"),
    }


def _state_since(job: Job) -> Change | None:
    """Return the change that brought the job into its state; None for an active job."""
    action = {
        JobState.PAUSED: Action.PAUSED,
        JobState.RETIRED: Action.RETIRED,
        JobState.QUARANTINED: Action.QUARANTINED,
    }.get(JobState(job.state))
    changes = Change.objects.using(conf().DATABASE).filter(job_uid=job.uid)
    # A job may be added paused.
    return changes.filter(action__in=(action, Action.ADDED)).first() if action else None


def _elsewhere(job: Job, trigger: BaseTrigger | None) -> str:
    """Format the next run in the job's own zone, where that shows another time."""
    if trigger is None or job.next_run_time is None:
        return ""
    return formatting.in_zone(job.next_run_time, zone_of(trigger))
