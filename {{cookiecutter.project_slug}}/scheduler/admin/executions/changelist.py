"""The change list of executions: Django's, with pages by keyset instead of by number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ... import formatting
from ...conf import conf
from ...db.clock import now
from ...models.execution import Kind, Status
from ..display.labels import node_names
from ..filters import Choice
from .details import Details
from .notes import not_searched, unreadable
from .query import ExecutionQuery, moment

PLACE = ("before", "after")
FILTERS: dict[str, None] = dict.fromkeys(
    ("status", "when", "kind", "from", "to", "by", "node", "error", "job", *PLACE)
)
"""Query parameters of the filters, and of the place in the list."""


class ExecutionChangeList(ChangeList):
    """Pages by keyset; its filters only name what was asked for, and ``ExecutionQuery`` asks."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        self.filter_params = {k: v for k, v in self.filter_params.items() if k not in PLACE}
        self.params = {k: v for k, v in self.params.items() if k not in PLACE}
        self.seen_at = now()
        self.params_asked = request.GET
        self.asked = ExecutionQuery.read(request.GET, conf().DATABASE, self.seen_at)
        super().get_queryset(request, exclude_parameters)
        return self.asked.queryset()

    def get_results(self, request: HttpRequest) -> None:
        self.page = self.asked.page(self.list_per_page)
        names = node_names({execution.node_id for execution in self.page.rows})
        execution: Any
        for execution in self.page.rows:
            execution.request = request
            execution.seen_at = self.seen_at
            execution.node_name = names.get(execution.node_id, "-")
        self.result_list = self.page.rows
        self.result_count = len(self.page.rows)
        self.full_result_count = self.result_count  # no claim of how many there are in all
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.page.rows, max(self.list_per_page, 1))

    @property
    def is_filtered(self) -> bool:
        """Return whether a filter, a search or a place in the list is in force."""
        return bool(self.query or self.has_active_filters or self.asked.before or self.asked.after)

    @property
    def notes(self) -> list[str]:
        """Return what was asked for and cannot be, and what was not searched."""
        return [*unreadable(self.params_asked, self.asked), *not_searched(self.asked)]

    @property
    def newer_url(self) -> str | None:
        return self.page.newer and self.get_query_string({"after": self.page.newer})

    @property
    def older_url(self) -> str | None:
        return self.page.older and self.get_query_string({"before": self.page.older})

    @property
    def newest_url(self) -> str:
        return self.get_query_string()


class OutcomeFilter(Choice):
    title = gettext_lazy("outcome")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        groups = [("problems", _("problems")), ("open", _("queued or running"))]
        return [*groups, *((str(value), str(label)) for value, label in Status.choices)]


class WhenFilter(Choice):
    title = gettext_lazy("ended")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("hour", _("last hour")),
            ("day", _("last 24 hours")),
            ("week", _("last 7 days")),
        ]


class KindFilter(Choice):
    title = pgettext_lazy("of an execution", "kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Kind.choices]


class JobFilter(Choice):
    """Shown only while in force: with a thousand jobs nobody wants a thousand links."""

    title = gettext_lazy("job")
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        job_id = request.GET.get("job")
        return [(job_id, job_id)] if job_id else []


class DatesFilter(Choice):
    """From and to, as two fields; its links are those of the timeline."""

    title = gettext_lazy("dates")
    parameter_name = "from"
    template = "admin/scheduler/includes/dates_filter.html"

    def __init__(self, request: HttpRequest, params: dict, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        since = moment(self.value() or "")
        until = moment((params.pop("to", None) or [""])[-1])
        self.since, self.until = (at and formatting.absolute(at) for at in (since, until))
        self.field_since, self.field_until = _field(since), _field(until)
        self.others = {
            key: value
            for key, value in request.GET.items()
            if key not in ("from", "to", "when", *PLACE)
        }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]


class DetailsFilter(Choice):
    """Three texts to search for: who asked for a run, where it ran, what its message says."""

    title = gettext_lazy("details")
    parameter_name = "by"
    template = "admin/scheduler/includes/details_filter.html"

    def __init__(self, request: HttpRequest, params: dict, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in ("node", "error"):
            params.pop(name, None)
        self.asked = Details.read(request.GET)
        own = ("by", "node", "error", *PLACE)
        self.others = {key: value for key, value in request.GET.items() if key not in own}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]


def _field(at: datetime | None) -> str:
    """Format a time for the browser's own field: the wall clock, without zone and seconds."""
    if at is None:
        return ""
    return timezone.localtime(at).replace(tzinfo=None).isoformat(timespec="minutes")
