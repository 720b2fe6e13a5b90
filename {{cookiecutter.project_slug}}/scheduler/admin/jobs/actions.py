"""What a click does to a job: one permission, one call of the client, one entry in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from apscheduler.jobstores.base import JobLookupError
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import scheduler
from ...conf import conf
from ...definitions import changes, declarations
from ...definitions.changes import changed_by
from ...errors import DefinitionError
from ...formatting import english
from ...models import Job
from ...models.job import JobState
from .. import log
from ..links import press_again, tell_gone, url

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as Text


@dataclass(frozen=True)
class JobAction:
    """One action: ``applies`` to jobs in these states; ``declared``: only to a declared job.

    ``effect`` says what it does, before somebody presses it; ``done``, afterwards. ``on_selected``:
    its name above the list, where it is done to the jobs that are ticked. ``asks``: only after a
    confirmation. ``if_declared``: what both also say of a declared job. ``call_many``: the same as
    ``call`` for many locked rows, in the state that it leads to.
    """

    name: str
    verb: Text
    on_selected: Text
    effect: Text
    done: Text
    permission: str
    call: Callable[[str], Any]
    applies: tuple[str, ...]
    declared: bool = False
    asks: bool = False
    if_declared: Text = ""
    call_many: tuple[Callable[[Sequence[Job], str], None], str] | None = None

    @property
    def url_name(self) -> str:
        return f"admin:scheduler_job_{self.name}"

    def offered(self, job: Job, user: Any) -> bool:
        """Return whether the user is offered this action on the job."""
        fits = job.state in self.applies and (job.declared or not self.declared)
        if (self.declared or job.state == JobState.RETIRED) and undeclared(job):
            return False  # nothing to go back to, and the next leader would retire it again
        return fits and user.has_perm(f"scheduler.{self.permission}")


def undeclared(job: Job) -> bool:
    """Return whether the declaration that the job came from is no longer in the code.

    Of the modules imported so far; what one that fails to import declares may be there.
    """
    known = declarations.registered()
    return job.declared and job.pk not in known and not declarations.errors


ANY_STATE = tuple(JobState.values)
ACTIONS: dict[str, JobAction] = {
    action.name: action
    for action in (
        JobAction(
            "pause",
            gettext_lazy("Pause"),
            gettext_lazy("Pause selected jobs"),
            gettext_lazy("The job stays and runs no more, until somebody presses Resume."),
            gettext_lazy("Paused. It keeps its history and waits for Resume."),
            "pause_job",
            lambda job_id: scheduler.pause_job(job_id),
            (JobState.ACTIVE,),
            call_many=(changes.pause_all, JobState.PAUSED),
        ),
        JobAction(
            "resume",
            gettext_lazy("Resume"),
            gettext_lazy("Resume selected jobs"),
            gettext_lazy(
                "The job runs again from its next time on; what it missed is not made up for."
            ),
            gettext_lazy("Resumed."),
            "pause_job",
            lambda job_id: scheduler.resume_job(job_id),
            (JobState.PAUSED, JobState.FINISHED, JobState.RETIRED),
        ),
        JobAction(
            "retry",
            gettext_lazy("Try again"),
            gettext_lazy("Try selected jobs again"),
            gettext_lazy("Ends the quarantine: the definition is loaded again."),
            gettext_lazy(
                "Released from quarantine. If it still cannot be loaded, it returns there at once."
            ),
            "pause_job",
            lambda job_id: scheduler.retry_job(job_id),
            (JobState.QUARANTINED,),
        ),
        JobAction(
            "reset",
            gettext_lazy("Reset to declaration"),
            gettext_lazy("Reset selected jobs to declaration"),
            gettext_lazy("Undoes what was changed here: the job is again as the code declares it."),
            gettext_lazy("Reset to what its declaration says."),
            "change_job",
            lambda job_id: scheduler.reset_job(job_id),
            ANY_STATE,
            declared=True,
        ),
        JobAction(
            "retire",
            gettext_lazy("Retire"),
            gettext_lazy("Retire selected jobs"),
            gettext_lazy("Ends the job and keeps its page, for a job whose work is done."),
            gettext_lazy("Retired: it runs no more."),
            "change_job",
            lambda job_id: scheduler.retire_job(job_id),
            (JobState.ACTIVE, JobState.PAUSED, JobState.FINISHED, JobState.QUARANTINED),
            asks=True,
            if_declared=gettext_lazy(
                "While the code declares it, the next leader brings it back: pause it to "
                "keep it off, or remove its declaration."
            ),
        ),
    )
}


def perform(request: HttpRequest, action: JobAction, job_id: str, quiet: bool = False) -> bool:
    """Apply the action and record it in the log.

    Args:
        quiet: add no message of success; the caller adds one for all its jobs.

    Returns:
        Whether it was done; if not, a message says why.
    """
    jobs = Job.objects.using(conf().DATABASE)
    before = jobs.filter(pk=job_id).first()
    if before is None:
        tell_gone(request, job_id)
        return False
    if before.state not in action.applies:
        told = _("%(action)s passed over job %(job)s: it is %(state)s.")
        state = before.get_state_display()
        messages.warning(request, told % {"action": action.verb, "job": before, "state": state})
        return False
    try:
        with changed_by(request.user.get_username()), transaction.atomic(using=conf().DATABASE):
            action.call(job_id)
    except (JobLookupError, DefinitionError, LookupError, ValueError) as error:
        told = _("Job %(job)s: %(action)s was not possible. %(error)s")
        what = {"job": before, "action": action.verb.lower(), "error": error}
        messages.error(request, told % what)
        return False
    after = jobs.filter(pk=job_id).first()
    if after is None:
        with english():
            log.record(request, before, f"{action.verb}: its schedule is over, so it was removed")
        told = _("Job %(job)s: its schedule is over, so it was removed.")
        messages.warning(request, told % {"job": before})
        return True
    difference = log.changed(before, after)
    with english():
        log.record(request, before, f"{action.verb}. {difference or 'nothing changed'}")
    if not quiet:
        more = action.if_declared if before.declared else ""
        told = _("Job %(job)s: %(done)s") % {"job": before, "done": action.done}
        messages.success(request, f"{told} {more}".rstrip())
    return True


def perform_many(request: HttpRequest, action: JobAction, job_ids: Sequence[str]) -> int:
    """Apply the action to some hundred jobs with a few statements, and record it in the log.

    Returns:
        To how many it was applied: not to those that are no longer there, or in another state.
    """
    assert action.call_many
    call, state = action.call_many
    using = conf().DATABASE
    wanted = Job.objects.using(using).filter(pk__in=job_ids, state__in=action.applies)
    with changed_by(request.user.get_username()), transaction.atomic(using=using):
        rows = list(wanted.select_for_update())
        call(rows, using)
    told = ((row, log.difference({"state": row.state}, {"state": state})) for row in rows)
    with english():
        log.record_all(request, ((row, f"{action.verb}. {difference}") for row, difference in told))
    return len(rows)


def action_view(name: str, site: AdminSite) -> Callable[..., HttpResponse]:
    """Make the route of one action on one job: POST only."""
    action = ACTIONS[name]

    def respond(request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(f"scheduler.{action.permission}"):
            raise PermissionDenied
        job_id = unquote(object_id)
        if request.method != "POST":
            return press_again(request, way_back(request, job_id))
        if action.asks and "confirmed" not in request.POST and _is_for(action, job_id):
            return _ask(request, action, job_id, site)
        chosen = action
        if name == "reset" and (column := request.POST.get("column")):
            chosen = replace(action, call=lambda job_id: scheduler.reset_job(job_id, column))
        perform(request, chosen, job_id)
        return HttpResponseRedirect(way_back(request, job_id))

    return respond


def _is_for(action: JobAction, job_id: str) -> bool:
    jobs = Job.objects.using(conf().DATABASE)
    return jobs.filter(pk=job_id, state__in=action.applies).exists()


def _ask(request: HttpRequest, action: JobAction, job_id: str, site: AdminSite) -> HttpResponse:
    job = Job.objects.using(conf().DATABASE).filter(pk=job_id).first()
    context = {
        **site.each_context(request),
        "title": _("%(action)s %(job)s?") % {"action": action.verb, "job": job or job_id},
        "opts": Job._meta,
        "original": job,
        "action": action,
        "back": way_back(request, job_id),
    }
    return TemplateResponse(request, "admin/scheduler/job_confirm.html", context)


def way_back(request: HttpRequest, job_id: str) -> str:
    """Return where the click came from, if it says so and lies here; else the job's page."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return asked
    if Job.objects.using(conf().DATABASE).filter(pk=job_id).exists():
        return url(request, "scheduler_job_change", job_id)
    return url(request, "scheduler_job_changelist")


def remove(request: HttpRequest, job_id: str) -> None:
    # Somebody may have been faster.
    with suppress(JobLookupError), changed_by(request.user.get_username()):
        scheduler.remove_job(job_id)


def record_removal(request: HttpRequest, job: Job) -> LogEntry:
    """Log what is about to be removed, so that it could be added again."""
    before = log.definition(job)
    with english():
        told = "; ".join(
            f"{log.label(name)}: {log.value(name, before[name])}"
            for name in ("func", "args", "kwargs", "trigger", "state")
        )
    return log.record(request, job, f"Removed. Was: {told}", DELETION)
