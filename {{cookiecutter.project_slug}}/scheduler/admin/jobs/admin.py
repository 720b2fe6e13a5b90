"""Jobs in the admin: the list, and the routes to everything else about a job."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.checks import CheckMessage
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ... import formatting
from ...conf import conf
from ...definitions.loading import why_set_aside
from ...masking import scrubbed
from ...models import Execution, Job
from ...triggers import zone_of
from ..both import check_beside
from ..display import schedules, sparkline
from ..display.labels import breakable, labelled
from ..display.outcomes import badge
from ..filters import ExecutorFilter, StateFilter
from ..links import lead_on, row_routes, tell_gone
from ..selection import drop_impossible_keys, refuse_nul, refuse_unknown, without_nul
from . import history, page
from .actions import ACTIONS, action_view, record_removal, remove
from .bulk import SELECTED
from .changelist import (
    FILTERS,
    DueFilter,
    JobChangeList,
    LastOutcomeFilter,
    OriginFilter,
    buttons_of,
)
from .pause_all import pause_all_view
from .run_now import run_view


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
        DueFilter,
        OriginFilter,
        ("executor", ExecutorFilter),
    )
    list_per_page = 50
    search_fields = ("id", "name", "func")
    search_help_text = gettext_lazy("A part of a job's id, name or function.")
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = SELECTED
    change_list_template = "admin/scheduler/job_list.html"
    object_history_template = "admin/scheduler/job_history.html"
    delete_confirmation_template = "admin/scheduler/job_delete.html"

    def get_urls(self) -> list[Any]:
        site = self.admin_site
        own = row_routes(self, ACTIONS, partial(action_view, site=site))
        run = site.admin_view(lambda request, object_id: run_view(request, object_id, self))
        both = [
            path(
                f"{name}-all/",
                site.admin_view(partial(pause_all_view, site=site, resume=name == "resume")),
                name=f"scheduler_job_{name}_all",
            )
            for name in ("pause", "resume")
        ]
        return [
            *both,
            *own,
            path("<path:object_id>/run/", run, name="scheduler_job_run"),
            *super().get_urls(),
        ]

    def check(self, **options: Any) -> list[CheckMessage]:
        return [*super().check(**options), *check_beside(self, Execution)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        return page.add(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        return page.change(request, object_id, self)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        job_id = unquote(object_id)
        context = {
            "changes": history.of(job_id),
            "clicks": history.clicks(job_id),
            **(extra_context or {}),
        }
        return super().history_view(request, object_id, context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        context = {"title": _("Remove this job?"), **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, _("Job %(job)s was removed.") % {"job": obj_display})
        return lead_on(request, Job)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        tell_gone(request, unquote(object_id))
        return lead_on(request, Job)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Job.objects.using(conf().DATABASE)

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.run_job")

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.pause_job")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Django would look for related rows; the history is none.
        named = [str(job) for job in objs]
        return named, {_("jobs"): len(named)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove(request, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for job in list(queryset):
            remove(request, job.pk)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [record_removal(request, job) for job in queryset]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[JobChangeList]:
        return JobChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if refused := refuse_nul(request) or refuse_unknown(request, FILTERS):
            return refused
        drop_impossible_keys(request, without_nul)
        context = {"title": _("Jobs"), "live": 5, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("job"), ordering="id")
    def title(self, job: Job) -> SafeString:
        name = job.label if job.label != job.pk else ""
        return format_html(
            '{}<div class="sch-quiet">{}{}{}</div>',
            breakable(job.pk),
            name,
            " · " if name else "",
            breakable(job.func),
        )

    @admin.display(description=pgettext_lazy("of a job", "schedule"))
    def schedule(self, job: Job) -> SafeString:
        return format_html(
            '{}<div class="sch-quiet"><code>{}</code></div>',
            schedules.words(job),
            schedules.short(job),
        )

    @admin.display(
        description=gettext_lazy("next run"), ordering=F("next_run_time").asc(nulls_last=True)
    )
    def next_run(self, job: Any) -> SafeString:
        trigger = schedules.trigger_of(job)
        if job.next_run_time is None or trigger is None:
            return labelled(_("next run"), formatting.moment(job.next_run_time, job.seen_at))
        return format_html(
            '{}<div class="sch-quiet">{}</div>',
            labelled(_("next run"), formatting.moment(job.next_run_time, job.seen_at)),
            formatting.in_zone(job.next_run_time, zone_of(trigger)),
        )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        error = format_html(
            '<div class="sch-why">{}</div>', scrubbed(why_set_aside(job), job)[:200]
        )
        return format_html(
            '<span class="sch-badge sch-state-{}">{}</span>{}',
            job.state,
            job.get_state_display(),
            error if job.last_error else "",
        )

    @admin.display(description=gettext_lazy("last 30 runs"))
    def last_runs(self, job: Any) -> SafeString | str:
        if not job.latest:
            return "-"
        return format_html(
            '{}{} <span class="sch-quiet sch-whole">{}</span>',
            sparkline.draw(job.latest),
            badge(job.latest[0].status),
            _("mean %(duration)s")
            % {"duration": formatting.duration(sparkline.mean_duration(job.latest))},
        )

    @admin.display(description=pgettext_lazy("column of buttons", "act"))
    def buttons(self, job: Any) -> SafeString:
        return buttons_of(job)
