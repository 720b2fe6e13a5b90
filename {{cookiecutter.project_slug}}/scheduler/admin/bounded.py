"""Questions about executions whose cost does not grow with the table.

Each queryset given here must be ordered along an index and sliced; they are asked in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..models import Execution

# SQLite takes at most 500 SELECTs in one compound statement.
MOST = 500


def counts(querysets: Sequence[QuerySet], cap: int) -> list[int]:
    """How many rows each queryset has; ``cap`` means that many or more."""
    if not querysets:
        return []
    using = querysets[0].db
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        sql, values = _compiled(queryset.order_by().values("pk")[:cap])
        selects.append(f"(SELECT COUNT(*) FROM ({sql}) AS t{number})")
        params.extend(values)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(selects), params)
        return list(cursor.fetchone())


def rows(querysets: Sequence[QuerySet]) -> list[Execution]:
    """The executions of all querysets, which must select the same columns."""
    found: list[Execution] = []
    for start in range(0, len(querysets), MOST):
        found.extend(_rows(querysets[start : start + MOST]))
    return found


def _rows(querysets: Sequence[QuerySet]) -> list[Execution]:
    selects: list[str] = []
    params: list[Any] = []
    for number, queryset in enumerate(querysets):
        try:
            sql, values = _compiled(queryset)
        except EmptyResultSet:
            continue
        selects.append(f"SELECT * FROM ({sql}) AS t{number}")
        params.extend(values)
    if not selects:
        return []
    return list(Execution.objects.using(querysets[0].db).raw(" UNION ALL ".join(selects), params))


def _compiled(queryset: QuerySet) -> tuple[str, Sequence[Any]]:
    return queryset.query.get_compiler(queryset.db).as_sql()
