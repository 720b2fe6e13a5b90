"""Run now: confirmed with its arguments, then on to the page of the execution."""

from __future__ import annotations

from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from ... import scheduler, serialization
from ...conf import conf
from ...definitions import references
from ...errors import DefinitionError
from ...masking import sensitive_names, shown
from ...models import Execution, Job
from ...monitoring import cluster
from .. import log, no_scheduler
from ..fields.arguments import PREFIX, Arguments, ask_again, stored_by_name
from ..links import lead_on, tell_gone, url

TEMPLATE = "admin/scheduler/run_now.html"


class RunForm(forms.Form):
    """``call``: arguments and keyword arguments, both None for the job's own."""

    call: tuple[list[Any] | None, dict[str, Any] | None] = (None, None)

    def __init__(self, data: Any = None, *, job: Job) -> None:
        super().__init__(data)
        self.job = job
        self.problem = ""
        self.arguments = self._arguments()
        if self.arguments:
            self.fields |= self.arguments.fields()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        changed = any(name.startswith(PREFIX) for name in self.changed_data)
        if self.arguments and changed and not self.errors:
            try:
                self.call = self.arguments.bound(cleaned, self.changed_data)
            except TypeError as error:
                told = _("The function does not take these arguments: %(error)s")
                self.add_error(None, told % {"error": error})
        return cleaned

    def _arguments(self) -> Arguments | None:
        try:
            function = references.resolve(self.job.func)
            args = serialization.loads_args(self.job.args)
            kwargs = serialization.loads_kwargs(self.job.kwargs)
            stored = stored_by_name(function, args, kwargs)
        except Exception as error:  # whatever importing a user's module raises
            self.problem = str(error)
            return None
        return Arguments(function, stored, sensitive_names(self.job))


@sensitive_post_parameters()  # no report of a failure shows the arguments
def run_view(request: HttpRequest, object_id: str, admin: Any) -> HttpResponse:
    """Ask for confirmation (GET), or run the job (POST)."""
    if not request.user.has_perm("scheduler.run_job"):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    job_id = unquote(object_id)
    job = Job.objects.using(conf().DATABASE).filter(pk=job_id).first()
    if job is None:
        tell_gone(request, job_id)
        return lead_on(request, Job)
    form = RunForm(request.POST if request.method == "POST" else None, job=job)
    if request.method == "POST" and form.is_valid():
        execution = start_run(request, job, *form.call)
        if execution is not None:
            no_scheduler.warn(request)
            return HttpResponseRedirect(after(request, job, execution))
    ask_again(form)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Run %(job)s now?") % {"job": job},
        "opts": admin.opts,
        "original": job,
        "form": form,
        "arguments": shown(job),
        "cluster": cluster.read(conf().DATABASE),
    }
    return TemplateResponse(request, TEMPLATE, context)


def start_run(
    request: HttpRequest, job: Job, args: Any = None, kwargs: Any = None
) -> Execution | None:
    """Queue one run. None: it could not be, and the user was told."""
    user = request.user.get_username()
    try:
        execution = scheduler.run_now(job.pk, args=args, kwargs=kwargs, requested_by=user)
    except (JobLookupError, DefinitionError, TypeError, ValueError) as error:
        told = _("Job %(job)s was not run: %(error)s")
        messages.error(request, told % {"job": job, "error": error})
        return None
    other = " with other arguments" if (args, kwargs) != (None, None) else ""
    log.record(request, job, f"Run now{other}: execution #{execution.pk}")
    told = _("Job %(job)s was asked to run: execution #%(number)s.")
    messages.success(request, told % {"job": job, "number": execution.pk})
    return execution


def after(request: HttpRequest, job: Job, execution: Execution) -> str:
    """Return the page that shows the run, or the job where the user may not see runs."""
    if request.user.has_perm("scheduler.view_execution"):
        return url(request, "scheduler_execution_change", execution.pk)
    if request.user.has_perm("scheduler.view_job") or request.user.has_perm("scheduler.change_job"):
        return url(request, "scheduler_job_change", job.pk)
    return url(request, "index")
