"""Executions in the admin: the list and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..conf import conf
from ..masking import scrubbed
from ..models import Execution
from ..models.execution import FINAL, OPEN, Kind
from . import execution_actions, execution_page, times
from .execution_actions import SELECTED
from .execution_list import (
    DatesFilter,
    ExecutionChangeList,
    JobFilter,
    KindFilter,
    OutcomeFilter,
    WhenFilter,
)
from .labels import breakable
from .outcomes import badge


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
    list_filter = (OutcomeFilter, WhenFilter, KindFilter, DatesFilter, JobFilter)
    list_per_page = 50
    search_fields = ("job_id",)
    search_help_text = "A part of a job's id or name, or the number of an execution."
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    change_list_template = "admin/scheduler/execution_list.html"
    actions = SELECTED

    def get_urls(self) -> list[Any]:
        site = self.admin_site
        own = [
            path(
                f"<path:object_id>/{name}/",
                site.admin_view(execution_actions.view(name)),
                name=f"scheduler_execution_{name}",
            )
            for name in execution_actions.CALLS
        ]
        return [*own, *super().get_urls()]

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
        return execution_page.view(request, object_id, self)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        open_ones = {str(row) for row in objs if row.status in OPEN}
        named = [str(row) for row in objs]
        return named, {"executions": len(named)}, set(), sorted(open_ones)

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
        context = {"title": "Executions", "live": 5, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="number")
    def number(self, execution: Execution) -> str:
        return f"#{execution.pk}"

    @admin.display(description="job")
    def job_link(self, execution: Execution) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:scheduler_job_change", args=[quote(execution.job_id)]),
            breakable(execution.label),
        )

    @admin.display(description="outcome")
    def outcome(self, execution: Execution) -> SafeString:
        text = scrubbed(execution.exception or execution.reason, execution)
        if not text:
            return badge(execution.status)
        return format_html(
            '{}<div class="sch-why" title="{}">{}</div>', badge(execution.status), text, text[:90]
        )

    @admin.display(description="scheduled")
    def scheduled(self, execution: Execution) -> str:
        stretch = f" (+{execution.slots - 1} more)" if execution.slots > 1 else ""
        return times.absolute(execution.scheduled_run_time) + stretch

    @admin.display(description="started, start lag")
    def started(self, execution: Execution) -> SafeString | str:
        if execution.started_at is None:
            return "-"
        return format_html(
            '{}<div class="sch-quiet">lag {}</div>',
            times.absolute(execution.started_at),
            times.duration(execution.lag),
        )

    @admin.display(description="duration")
    def duration(self, execution: Any) -> str:
        if execution.started_at and not execution.finished_at:
            return times.duration(execution.seen_at - execution.started_at) + " so far"
        return times.duration(execution.duration)

    @admin.display(description="kind")
    def why(self, execution: Execution) -> SafeString:
        kind = Kind(execution.kind).label if execution.kind in Kind.values else execution.kind
        who = f"asked by {execution.requested_by}" if execution.requested_by else ""
        most = max(execution.max_retries + 1, execution.attempt)
        tries = f"attempt {execution.attempt} of {most}" if most > 1 else ""
        return format_html(
            '{}<div class="sch-quiet">{}</div>', kind, ", ".join(filter(None, (tries, who)))
        )

    @admin.display(description="node")
    def node(self, execution: Any) -> str:
        return execution.node_name
