"""What a click does to a job: one permission, one call of the client, one entry in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from .. import declarations, scheduler
from ..changes import changed_by
from ..conf import conf
from ..errors import DefinitionError
from ..models import Job
from ..models.job import JobState
from . import audit


@dataclass(frozen=True)
class JobAction:
    """``applies``: the states in which it does anything; ``declared``: only for a declared job."""

    name: str
    verb: str
    done: str
    permission: str
    call: Callable[[str], Any]
    applies: tuple[str, ...]
    declared: bool = False

    def offered(self, job: Job, user: Any) -> bool:
        fits = job.state in self.applies and (job.declared or not self.declared)
        if (self.declared or job.state == JobState.RETIRED) and undeclared(job):
            return False  # nothing to go back to, and the next leader would retire it again
        return fits and user.has_perm(f"scheduler.{self.permission}")


def undeclared(job: Job) -> bool:
    """Whether the declaration that the job came from is not in the code any more.

    Of the modules imported so far; what one that fails to import declares may be there.
    """
    known = declarations.registered()
    return job.declared and job.pk not in known and not declarations.errors


EVERY = tuple(JobState.values)
ACTIONS: dict[str, JobAction] = {
    action.name: action
    for action in (
        JobAction(
            "pause",
            "Pause",
            "Paused. It keeps its history and waits for Resume.",
            "pause_job",
            lambda job_id: scheduler.pause_job(job_id),
            (JobState.ACTIVE,),
        ),
        JobAction(
            "resume",
            "Resume",
            "Resumed.",
            "pause_job",
            lambda job_id: scheduler.resume_job(job_id),
            (JobState.PAUSED, JobState.FINISHED, JobState.RETIRED),
        ),
        JobAction(
            "retry",
            "Try again",
            "Released from quarantine. If it still cannot be loaded, it returns there at once.",
            "pause_job",
            lambda job_id: scheduler.retry_job(job_id),
            (JobState.QUARANTINED,),
        ),
        JobAction(
            "reset",
            "Reset to declaration",
            "Reset to what its declaration says.",
            "change_job",
            lambda job_id: scheduler.reset_job(job_id),
            EVERY,
            declared=True,
        ),
        JobAction(
            "retire",
            "Retire",
            "Retired: it runs no more. While the code declares it, the next leader brings it back; "
            "pause it to keep it off.",
            "change_job",
            lambda job_id: scheduler.retire_job(job_id),
            (JobState.ACTIVE, JobState.PAUSED, JobState.FINISHED, JobState.QUARANTINED),
        ),
    )
}


def perform(request: HttpRequest, action: JobAction, job_id: str) -> bool:
    """Do it, record it and tell the user. False: it was not done, and the user was told why."""
    jobs = Job.objects.using(conf().DATABASE)
    before = jobs.filter(pk=job_id).first()
    if before is None:
        messages.error(request, f"There is no job {job_id} any more.")
        return False
    if before.state not in action.applies:
        state = before.get_state_display()
        messages.warning(request, f"{action.verb} passed over job {before}: it is {state}.")
        return False
    try:
        with changed_by(request.user.get_username()), transaction.atomic(using=conf().DATABASE):
            action.call(job_id)
    except (JobLookupError, DefinitionError, LookupError, ValueError) as error:
        messages.error(request, f"Job {before}: {action.verb.lower()} was not possible. {error}")
        return False
    after = jobs.filter(pk=job_id).first()
    if after is None:
        audit.log(request, before, f"{action.verb}: its schedule is over, so it was removed")
        messages.warning(request, f"Job {before}: its schedule is over, so it was removed.")
        return True
    difference = audit.changed(before, after)
    audit.log(request, before, f"{action.verb}. {difference or 'nothing changed'}")
    messages.success(request, f"Job {before}: {action.done}")
    return True


def view(name: str) -> Callable[..., HttpResponse]:
    """The route of one action on one job: POST only."""
    action = ACTIONS[name]

    def respond(request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(f"scheduler.{action.permission}"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job_id = unquote(object_id)
        perform(request, action, job_id)
        return HttpResponseRedirect(way_back(request, job_id))

    return respond


def way_back(request: HttpRequest, job_id: str) -> str:
    """Where the click came from, if it says so and lies here; else the job's page."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return asked
    if Job.objects.using(conf().DATABASE).filter(pk=job_id).exists():
        return reverse("admin:scheduler_job_change", args=[quote(job_id)])
    return reverse("admin:scheduler_job_changelist")
