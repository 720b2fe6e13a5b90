"""Run now: confirmed with its arguments, then on to the page of the execution."""

from __future__ import annotations

from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from .. import scheduler
from ..conf import conf
from ..errors import DefinitionError
from ..masking import shown
from ..models import Execution, Job
from . import audit, health, waiting
from .argument_fields import ask_again
from .clock import now
from .run_form import RunForm

TEMPLATE = "admin/scheduler/run_now.html"


def view(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """GET asks, POST runs."""
    if not request.user.has_perm("scheduler.run_job"):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    job_id = unquote(object_id)
    job = Job.objects.using(conf().DATABASE).filter(pk=job_id).first()
    if job is None:
        messages.error(request, f"There is no job {job_id} any more.")
        return HttpResponseRedirect(reverse("admin:scheduler_job_changelist"))
    form = RunForm(request.POST if request.method == "POST" else None, job=job)
    if request.method == "POST" and form.is_valid():
        execution = start(request, job, *form.call)
        if execution is not None:
            waiting.warn(request)
            return HttpResponseRedirect(after(request, job, execution))
    ask_again(form)
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Run {job} now?",
        "opts": admin.opts,
        "original": job,
        "form": form,
        "arguments": shown(job),
        "health": health.read(conf().DATABASE, now()),
    }
    return TemplateResponse(request, TEMPLATE, context)


def start(request: HttpRequest, job: Job, args: Any = None, kwargs: Any = None) -> Execution | None:
    """Queue one run. None: it could not be, and the user was told."""
    user = request.user.get_username()
    try:
        execution = scheduler.run_now(job.pk, args=args, kwargs=kwargs, requested_by=user)
    except (JobLookupError, DefinitionError, TypeError, ValueError) as error:
        messages.error(request, f"Job {job} was not run: {error}")
        return None
    other = " with other arguments" if (args, kwargs) != (None, None) else ""
    audit.log(request, job, f"Run now{other}: execution #{execution.pk}")
    messages.success(request, f"Job {job} was asked to run: execution #{execution.pk}.")
    return execution


def after(request: HttpRequest, job: Job, execution: Execution) -> str:
    """The page that shows the run, or the job where the user may not see runs."""
    if request.user.has_perm("scheduler.view_execution"):
        return reverse("admin:scheduler_execution_change", args=[execution.pk])
    if request.user.has_perm("scheduler.view_job") or request.user.has_perm("scheduler.change_job"):
        return reverse("admin:scheduler_job_change", args=[quote(job.pk)])
    return reverse("admin:index")
