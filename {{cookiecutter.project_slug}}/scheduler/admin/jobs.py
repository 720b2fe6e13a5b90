"""Jobs in the admin: the list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..conf import conf
from ..models import Job
from . import schedules, strip, times
from .choices import StateFilter, ValueFilter
from .job_list import JobChangeList, LastOutcomeFilter, OriginFilter
from .outcomes import badge


class JobAdmin(admin.ModelAdmin):
    list_display = (
        "title",
        "schedule",
        "next_run",
        "state_badge",
        "last_outcome",
        "last_runs",
        "mean_duration",
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
    change_list_template = "admin/scheduler/job_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Job.objects.using(conf().DATABASE)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[JobChangeList]:
        return JobChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"title": "Jobs", "live": 5, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="job", ordering="id")
    def title(self, job: Job) -> SafeString:
        name = job.name if job.name and job.name != job.pk else ""
        return format_html(
            '{}<div class="sch-quiet">{}{}{}</div>', job.pk, name, " · " if name else "", job.func
        )

    @admin.display(description="schedule")
    def schedule(self, job: Job) -> SafeString:
        return format_html(
            '{}<div class="sch-quiet"><code>{}</code></div>',
            schedules.words(job),
            schedules.raw(job),
        )

    @admin.display(description="next run", ordering=F("next_run_time").asc(nulls_last=True))
    def next_run(self, job: Job) -> SafeString | str:
        return times.moment(job.next_run_time, job.seen_at)

    @admin.display(description="state", ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        error = format_html('<div class="sch-why">{}</div>', job.last_error[:200])
        return format_html(
            '<span class="sch-badge sch-state-{}">{}</span>{}',
            job.state,
            job.get_state_display(),
            error if job.last_error else "",
        )

    @admin.display(description="last outcome")
    def last_outcome(self, job: Job) -> SafeString | str:
        if not job.latest:
            return "-"
        last = job.latest[0]
        return format_html("{}", badge(last.status))

    @admin.display(description=f"last {strip.LAST} runs")
    def last_runs(self, job: Job) -> SafeString | str:
        return strip.draw(job.latest)

    @admin.display(description="mean duration")
    def mean_duration(self, job: Job) -> str:
        return times.duration(strip.mean_duration(job.latest))
