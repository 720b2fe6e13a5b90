"""Filters as drop-downs above a list, so that the table keeps the width of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter, ChoicesFieldListFilter, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

TEMPLATE = "admin/scheduler/includes/filter.html"


class StateFilter(ChoicesFieldListFilter):
    template = TEMPLATE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("state")


class ExecutorFilter(AllValuesFieldListFilter):
    template = TEMPLATE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("executor")


class Choice(SimpleListFilter):
    """A list of links that changes no queryset: the change list's own query reads the value."""

    template = TEMPLATE

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the links; "All" is the chosen one where no other is, as after an odd value."""
        links: list[Any] = list(super().choices(changelist))
        links[0]["selected"] = not any(link["selected"] for link in links[1:])
        yield from links

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        raise NotImplementedError
