"""Jobs in the admin: the list, and the routes to everything else about a job."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import unquote
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..conf import conf
from ..jobrow import zone_of
from ..masking import scrubbed
from ..models import Job
from . import history, job_actions, job_page, removal, run_now, schedules, strip, times
from .bulk import SELECTED
from .choices import StateFilter, ValueFilter
from .job_buttons import draw as draw_buttons
from .job_list import JobChangeList, LastOutcomeFilter, OriginFilter
from .labels import breakable
from .outcomes import badge


class JobAdmin(admin.ModelAdmin):
    list_display = (
        "title",
        "schedule",
        "next_run",
        "state_badge",
        "last_runs",
        "buttons",
    )
    list_filter = (
        ("state", StateFilter),
        LastOutcomeFilter,
        OriginFilter,
        ("executor", ValueFilter),
    )
    list_per_page = 50
    search_fields = ("id", "name", "func")
    search_help_text = "A part of a job's id, name or function."
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = SELECTED
    change_list_template = "admin/scheduler/job_list.html"
    object_history_template = "admin/scheduler/job_history.html"
    delete_confirmation_template = "admin/scheduler/job_delete.html"

    def get_urls(self) -> list[Any]:
        site = self.admin_site
        own = [
            path(
                f"<path:object_id>/{name}/",
                site.admin_view(job_actions.view(name)),
                name=f"scheduler_job_{name}",
            )
            for name in job_actions.ACTIONS
        ]
        run = site.admin_view(lambda request, object_id: run_now.view(request, object_id, self))
        return [
            *own,
            path("<path:object_id>/run/", run, name="scheduler_job_run"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        return job_page.add(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return job_page.change(request, object_id, self)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        context = {"changes": history.of(unquote(object_id)), **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        context = {"title": "Remove this job?", **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, f"Job {obj_display} was removed.")
        may_see = self.has_view_or_change_permission(request)
        return redirect("admin:scheduler_job_changelist" if may_see else "admin:index")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Job.objects.using(conf().DATABASE)

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.run_job")

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.pause_job")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Django would look for related rows; the history is none.
        named = [str(job) for job in objs]
        return named, {"jobs": len(named)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        removal.remove(request, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for job in list(queryset):
            removal.remove(request, job.pk)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [removal.log(request, job) for job in queryset]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[JobChangeList]:
        return JobChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"title": "Jobs", "live": 5, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="job", ordering="id")
    def title(self, job: Job) -> SafeString:
        name = job.label if job.label != job.pk else ""
        return format_html(
            '{}<div class="sch-quiet">{}{}{}</div>',
            breakable(job.pk),
            name,
            " · " if name else "",
            breakable(job.func),
        )

    @admin.display(description="schedule")
    def schedule(self, job: Job) -> SafeString:
        return format_html(
            '{}<div class="sch-quiet"><code>{}</code></div>',
            schedules.words(job),
            schedules.short(job),
        )

    @admin.display(description="next run", ordering=F("next_run_time").asc(nulls_last=True))
    def next_run(self, job: Any) -> SafeString | str:
        trigger = schedules.trigger_of(job)
        if job.next_run_time is None or trigger is None:
            return times.moment(job.next_run_time, job.seen_at)
        return format_html(
            '{}<div class="sch-quiet">{}</div>',
            times.moment(job.next_run_time, job.seen_at),
            times.in_zone(job.next_run_time, zone_of(trigger)),
        )

    @admin.display(description="state", ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        error = format_html('<div class="sch-why">{}</div>', scrubbed(job.last_error, job)[:200])
        return format_html(
            '<span class="sch-badge sch-state-{}">{}</span>{}',
            job.state,
            job.get_state_display(),
            error if job.last_error else "",
        )

    @admin.display(description=f"last {strip.LAST} runs")
    def last_runs(self, job: Any) -> SafeString | str:
        if not job.latest:
            return "-"
        return format_html(
            '{}{} <span class="sch-quiet">mean {}</span>',
            strip.draw(job.latest),
            badge(job.latest[0].status),
            times.duration(strip.mean_duration(job.latest)),
        )

    @admin.display(description="act")
    def buttons(self, job: Any) -> SafeString:
        return draw_buttons(job)
