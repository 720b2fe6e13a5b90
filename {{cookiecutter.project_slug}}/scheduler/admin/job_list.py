"""The change list of jobs, and what each row shows besides its own columns."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from .. import declarations
from ..conf import conf
from ..models import Execution
from ..models.job import JobState
from . import strip
from .choices import Choice
from .clock import now
from .outcomes import PROBLEMS


class JobChangeList(ChangeList):
    """Adds the last executions of the jobs on the page, by one statement for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # all are shown: no link to all
        if any(job.state == JobState.RETIRED for job in self.result_list):
            declarations.autodiscover()  # which of them may come back
        seen_at = now()
        latest = {}
        if request.user.has_perm("scheduler.view_execution"):
            latest = strip.latest([job.pk for job in self.result_list], conf().DATABASE)
        job: Any
        for job in self.result_list:
            job.seen_at = seen_at
            job.latest = latest.get(job.pk, [])
            job.viewer = request.user
            job.seen_in = request.get_full_path()  # where a button leads back to


class LastOutcomeFilter(Choice):
    title = "last outcome"
    parameter_name = "last"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("problems", "a problem"), ("succeeded", "succeeded"), ("never", "never ran")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        runs = Execution.objects.filter(job_id=OuterRef("pk")).order_by("-id")
        queryset = queryset.annotate(last_status=Subquery(runs.values("status")[:1]))
        if self.value() == "never":
            return queryset.filter(last_status=None)
        wanted = PROBLEMS if self.value() == "problems" else (self.value(),)
        return queryset.filter(last_status__in=wanted)


class OriginFilter(Choice):
    title = "origin"
    parameter_name = "declared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "declared in code"), ("0", "added later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(declared=self.value() == "1")
