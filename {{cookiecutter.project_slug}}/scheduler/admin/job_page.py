"""The page of one job, and the form that adds or changes it."""

from __future__ import annotations

from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from .. import declarations
from ..conf import conf
from ..jobrow import zone_of
from ..masking import scrubbed, shown
from ..models import Job
from ..models.job import JobState
from . import digest, job_actions, job_save, schedules, strip, times
from .argument_fields import ask_again
from .choosable import Choosable, functions
from .clock import now
from .job_form import JobForm
from .job_layout import sections

FORM = "admin/scheduler/job_page.html"
CHOOSE = "admin/scheduler/job_choose.html"


def add(request: HttpRequest, admin: Any) -> HttpResponse:
    """First which function, then the rest."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    known = functions()
    chosen = known.get(request.GET.get("func", ""))
    if chosen is None:
        return _choose(request, admin, known, None)
    form = JobForm(_sent(request), chosen=chosen)
    if _to_save(request, form) and (job := job_save.add(request, form)):
        messages.success(request, f"Job {job} was added.")
        return HttpResponseRedirect(_page_of(job))
    return _render(request, admin, f"Add a job: {chosen.function.__name__}", None, form)


def change(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """What the job is and does, and the form for those who may change it."""
    job = Job.objects.using(conf().DATABASE).filter(pk=unquote(object_id)).first()
    if not admin.has_view_or_change_permission(request, job):
        raise PermissionDenied
    if job is None:
        messages.error(request, f"There is no job {unquote(object_id)} any more.")
        return HttpResponseRedirect(reverse("admin:scheduler_job_changelist"))
    may_change = admin.has_change_permission(request, job)
    if request.method not in ("GET", "HEAD") and not may_change:
        raise PermissionDenied
    if not may_change or job.state == JobState.RETIRED:
        if request.method == "POST":  # it was retired while the form was open
            messages.error(request, f"Job {job} is retired: nothing was saved.")
        return _render(request, admin, str(job), job, None)
    known = functions()
    if "choose" in request.GET:
        return _choose(request, admin, known, job)
    form = JobForm(
        _sent(request),
        chosen=known.get(request.GET.get("func", "")) or _own(job, known),
        job=job,
        initial={"read": digest.taken(job)},
    )
    if _to_save(request, form) and (changed := job_save.change(request, form)):
        messages.success(request, f"Job {changed} was saved.")
        return HttpResponseRedirect(_page_of(changed))
    return _render(request, admin, str(job), job, form)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _to_save(request: HttpRequest, form: JobForm) -> bool:
    return request.method == "POST" and form.is_valid() and "_preview" not in request.POST


def _own(job: Job, known: dict[str, Choosable]) -> Choosable | None:
    """The job's function; also one that no list offers, such as a job added by code."""
    if job.func in known:
        return known[job.func]
    from .. import functions as references

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
        "title": f"Another function for {job}" if job else "Add a job: what shall run?",
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
        "has_delete_permission": bool(job) and admin.has_delete_permission(request, job),
    }
    if job:
        context |= _facts(request, job)
    return TemplateResponse(request, FORM, context)


def _preview(form: JobForm) -> dict[str, Any] | None:
    """The runs that the entered schedule would bring."""
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
        recent = strip.latest([job.pk], conf().DATABASE).get(job.pk, [])
    runs = []
    if trigger and job.state == JobState.ACTIVE and job.next_run_time:
        runs = schedules.coming(trigger, at, job.next_run_time)
    return {
        "now": at,
        "words": schedules.words(job),
        "zone": zone_of(trigger) if trigger else None,
        "next_local": _elsewhere(job, trigger),
        "runs": runs,
        "recent": recent[:10],
        "strip": strip.draw(recent),
        "mean": strip.mean_duration(recent),
        "arguments": shown(job),
        "error": scrubbed(job.last_error, job),
        "undeclared": job_actions.undeclared(job),
        "offered": [a for a in job_actions.ACTIONS.values() if a.offered(job, request.user)],
        "may_run": request.user.has_perm("scheduler.run_job")
        and job.state not in (JobState.QUARANTINED, JobState.RETIRED),
    }


def _elsewhere(job: Job, trigger: BaseTrigger | None) -> str:
    """The next run on the wall clock of the job's own zone, where that shows another time."""
    if trigger is None or job.next_run_time is None:
        return ""
    return times.in_zone(job.next_run_time, zone_of(trigger))


def _page_of(job: Job) -> str:
    return reverse("admin:scheduler_job_change", args=[quote(job.pk)])
