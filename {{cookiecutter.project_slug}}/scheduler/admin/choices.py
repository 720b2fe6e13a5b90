"""Filters as drop-downs above a list, so that the table keeps the width of the page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AllValuesFieldListFilter, ChoicesFieldListFilter, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

TEMPLATE = "admin/scheduler/includes/filter.html"


class StateFilter(ChoicesFieldListFilter):
    template = TEMPLATE


class ValueFilter(AllValuesFieldListFilter):
    template = TEMPLATE


class Choice(SimpleListFilter):
    """A list of links that changes no queryset: the change list's own query reads the value."""

    template = TEMPLATE

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        raise NotImplementedError
