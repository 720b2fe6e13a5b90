"""Executions in the admin: the list and the page of one."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.core.checks import CheckMessage
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from ... import formatting
from ...conf import conf
from ...masking import scrubbed
from ...models import Execution, Job
from ...models.execution import FINAL, OPEN, PROBLEMS, Kind
from ..both import check_beside
from ..display.labels import breakable, labelled
from ..display.outcomes import badge
from ..links import row_routes, url
from ..selection import drop_impossible_keys, refuse_nul, refuse_unknown, whole_number
from ..trends.page import trends_page
from . import page
from .actions import CALLS, SELECTED, action_view
from .changelist import (
    FILTERS,
    DatesFilter,
    DetailsFilter,
    ExecutionChangeList,
    JobFilter,
    KindFilter,
    OutcomeFilter,
    WhenFilter,
)
from .tasks import tasks_page


class ExecutionAdmin(admin.ModelAdmin):
    """Read, retry, cancel and delete; nobody writes history by hand."""

    list_display = (
        "number",
        "job_link",
        "outcome",
        "scheduled",
        "started",
        "duration",
        "why",
        "node",
    )
    list_display_links = ("number",)
    list_filter = (OutcomeFilter, WhenFilter, KindFilter, DatesFilter, DetailsFilter, JobFilter)
    list_per_page = 50
    search_fields = ("job_id",)
    search_help_text = gettext_lazy(
        "A part of a job's id or name, removed jobs included, the number of an execution, or the "
        "id of a task's result."
    )
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    change_list_template = "admin/scheduler/execution_list.html"
    actions = SELECTED

    def get_urls(self) -> list[Any]:
        site = self.admin_site
        own = row_routes(self, CALLS, action_view)
        tasks = path(
            "tasks/",
            site.admin_view(partial(tasks_page, site=site)),
            name="scheduler_execution_tasks",
        )
        trends = path(
            "trends/",
            site.admin_view(partial(trends_page, site=site)),
            name="scheduler_execution_trends",
        )
        return [tasks, trends, *own, *super().get_urls()]

    def check(self, **options: Any) -> list[CheckMessage]:
        return [*super().check(**options), *check_beside(self, Job)]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.view_execution")

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.run_job")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.cancel_execution")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        ended = obj is None or obj.status in FINAL
        return ended and super().has_delete_permission(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return page.view(request, object_id, self)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        return page.gone(request, object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        open_ones = {str(row) for row in objs if row.status in OPEN}
        named = [str(row) for row in objs]
        return named, {_("executions"): len(named)}, set(), sorted(open_ones)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Execution.objects.using(conf().DATABASE)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        return queryset, False  # ExecutionQuery has looked already

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ExecutionChangeList]:
        return ExecutionChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if refused := refuse_nul(request) or refuse_unknown(request, FILTERS):
            return refused
        drop_impossible_keys(request, whole_number)
        context = {"title": _("Executions"), "live": 5, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description=pgettext_lazy("of an execution", "number"))
    def number(self, execution: Execution) -> str:
        return f"#{execution.pk}"

    @admin.display(description=gettext_lazy("job"))
    def job_link(self, execution: Any) -> SafeString:
        name = breakable(execution.label)
        if execution.is_task:
            return name
        address = url(execution.request, "scheduler_job_change", execution.job_id)
        return format_html('<a href="{}">{}</a>', address, name)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, execution: Execution) -> SafeString:
        text = scrubbed(execution.exception or execution.reason, execution)
        if not text:
            return badge(execution.status)
        look = "sch-why" if execution.status in PROBLEMS else "sch-reason"
        shown = '{}<div class="{}" title="{}">{}</div>'
        return format_html(shown, badge(execution.status), look, text, text[:90])

    @admin.display(description=gettext_lazy("scheduled"))
    def scheduled(self, execution: Execution) -> SafeString:
        at, stretch = formatting.absolute(execution.scheduled_run_time), ""
        if more := execution.slots - 1:
            told = ngettext("(+%(number)s more)", "(+%(number)s more)", more)
            stretch = " " + told % {"number": formatting.number(more)}
        return labelled(_("scheduled"), at + stretch)

    @admin.display(description=gettext_lazy("started, start lag"))
    def started(self, execution: Execution) -> SafeString:
        if execution.started_at is None:
            return labelled(_("started"), "-")
        return format_html(
            '{}<div class="sch-quiet">{}</div>',
            labelled(_("started"), formatting.absolute(execution.started_at)),
            _("lag %(duration)s") % {"duration": formatting.duration(execution.lag)},
        )

    @admin.display(description=gettext_lazy("duration"))
    def duration(self, execution: Any) -> SafeString:
        if execution.started_at and not execution.finished_at:
            span = formatting.duration(execution.seen_at - execution.started_at)
            took = _("%(duration)s so far") % {"duration": span}
        else:
            took = formatting.duration(execution.duration)
        return labelled(_("duration"), took)

    @admin.display(description=pgettext_lazy("of an execution", "kind"))
    def why(self, execution: Execution) -> SafeString:
        kind = Kind(execution.kind).label if execution.kind in Kind.values else execution.kind
        who = tries = ""
        if execution.requested_by:
            who = _("asked by %(who)s") % {"who": execution.requested_by}
        most = max(execution.max_retries + 1, execution.attempt)
        if most > 1:
            what = {"number": execution.attempt, "most": most}
            tries = _("attempt %(number)s of %(most)s") % what
        return format_html(
            '{}<div class="sch-quiet">{}</div>',
            labelled(pgettext("of an execution", "kind"), kind),
            ", ".join(filter(None, (tries, who))),
        )

    @admin.display(description=gettext_lazy("node"))
    def node(self, execution: Any) -> SafeString:
        return labelled(_("node"), execution.node_name)
