"""The change list of jobs: its filters, what each row adds to its columns, and its buttons."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from ...conf import conf
from ...db.clock import now
from ...definitions import declarations
from ...models import Execution
from ...models.execution import PROBLEMS
from ...models.job import JobState
from ..display import sparkline
from ..filters import Choice
from ..links import url
from .actions import ACTIONS

IN_LIST = ("pause", "resume", "retry")
LAST = {
    "problems": gettext_lazy("a problem"),
    "succeeded": gettext_lazy("succeeded"),
    "never": gettext_lazy("never ran"),
}
FILTERS: dict[str, Container[str] | None] = {
    "state__exact": JobState.values,
    "last": LAST,
    "due": ("1",),
    "declared": ("0", "1"),
    "executor": None,
}
"""Query parameters of the filters, and the values that each of them has."""


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
            latest = sparkline.latest([job.pk for job in self.result_list], conf().DATABASE)
        job: Any
        for job in self.result_list:
            job.seen_at = seen_at
            job.latest = latest.get(job.pk, [])
            job.request = request


class LastOutcomeFilter(Choice):
    title = gettext_lazy("last outcome")
    parameter_name = "last"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, str(words)) for name, words in LAST.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        runs = Execution.objects.filter(job_id=OuterRef("pk")).order_by("-id")
        queryset = queryset.annotate(last_status=Subquery(runs.values("status")[:1]))
        if self.value() == "never":
            return queryset.filter(last_status=None)
        wanted = PROBLEMS if self.value() == "problems" else (self.value(),)
        return queryset.filter(last_status__in=wanted)


class DueFilter(Choice):
    title = gettext_lazy("next run")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("due now"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        return queryset.due(now()) if self.value() else queryset


class OriginFilter(Choice):
    title = gettext_lazy("origin")
    parameter_name = "declared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("declared in code")), ("0", pgettext("origin of a job", "added later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(declared=self.value() == "1")


def buttons_of(job: Any) -> SafeString:
    """Draw a link to a run's confirmation, and buttons that send the list's form elsewhere."""
    buttons = format_html_join(
        " ",
        '<button class="button sch-small" formaction="{}?{}">{}'
        '<span class="visually-hidden"> {}</span></button>',
        [
            (
                url(job.request, f"scheduler_job_{name}", job.pk),
                urlencode({"next": job.request.get_full_path()}),
                ACTIONS[name].verb,
                job,
            )
            for name in IN_LIST
            if ACTIONS[name].offered(job, job.request.user)
        ],
    )
    if not (job.can_run and job.request.user.has_perm("scheduler.run_job")):
        return buttons
    run = format_html(
        '<a class="button sch-small" href="{}">{}<span class="visually-hidden"> {}</span></a>',
        url(job.request, "scheduler_job_run", job.pk),
        _("Run now"),
        job,
    )
    return format_html("{} {}", run, buttons)
