"""Pause and resume all scheduler processes, after a confirmation."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ... import scheduler
from ...conf import conf
from ...models import Job, Lease
from ...monitoring import cluster
from .. import log
from ..links import url

PERMISSION = "scheduler.pause_job"


def pause_all_view(request: HttpRequest, site: AdminSite, resume: bool) -> HttpResponse:
    """Ask on GET; pause or resume on POST."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    overview = url(request, "app_list", app_label="scheduler")
    if request.method == "POST":
        _pause(request, resume)
        return HttpResponseRedirect(overview)
    context = {
        **site.each_context(request),
        "title": _("Resume all jobs?") if resume else _("Pause all jobs?"),
        "opts": Job._meta,
        "cluster": cluster.read(conf().DATABASE),
        "resume": resume,
        "overview": overview,
    }
    return TemplateResponse(request, "admin/scheduler/pause_all.html", context)


def _pause(request: HttpRequest, resume: bool) -> None:
    """Do it, unless somebody else was faster: then the message says how it stands."""
    if scheduler.paused is not resume:
        told = (
            _("The scheduler was not paused already.")
            if resume
            else _("The scheduler was paused already.")
        )
        messages.info(request, told)
        return
    user = request.user.get_username()
    if resume:
        scheduler.resume(user)
        told = _("Resumed: runs start again, and what fell due is made up for.")
    else:
        scheduler.pause(user)
        told = _("Paused: no run starts until the scheduler is resumed.")
    messages.success(request, told)
    lease = Lease.objects.using(conf().DATABASE).get(pk=1)
    log.record(request, lease, "Resumed all jobs" if resume else "Paused all jobs")
