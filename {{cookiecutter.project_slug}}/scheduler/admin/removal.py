"""Removing jobs: their history stays, so it costs the same however long that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.contrib.admin.models import DELETION
from django.http import HttpRequest
from django.utils.html import format_html

from .. import scheduler
from ..changes import changed_by
from ..models import Job
from . import audit


class Removal:
    """How ``ModelAdmin`` deletes, for jobs."""

    delete_confirmation_template = "admin/scheduler/job_delete.html"
    delete_selected_confirmation_template = "admin/scheduler/jobs_delete.html"

    def get_deleted_objects(
        self, objs: Iterable[Job], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        named = [format_html("{} <code>{}</code>", job, job.func) for job in objs]
        return named, {"jobs": len(named)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Job) -> None:
        remove(request, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Job]) -> None:
        for job in list(queryset):
            remove(request, job.pk)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Job]) -> None:
        for job in queryset:
            before = audit.definition(job)
            told = "; ".join(
                f"{audit.label(name)}: {audit.value(name, before[name])}"
                for name in ("func", "args", "kwargs", "trigger", "state")
            )
            audit.log(request, job, f"Removed. Was: {told}", DELETION)


def remove(request: HttpRequest, job_id: str) -> None:
    try:
        with changed_by(request.user.get_username()):
            scheduler.remove_job(job_id)
    except JobLookupError:
        pass  # somebody was faster
