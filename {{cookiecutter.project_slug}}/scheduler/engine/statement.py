"""A query of the loop, compiled once: Django takes longer to build one than the server to answer.

The text is Django's own, so it is right on every database; only the values are new each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.models import Expression, QuerySet


class Blank(Expression):
    """The place of a value in a query; ``field`` knows how the database wants it."""

    def __init__(self, name: str, field: Any) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        return "%s", (self,)


class Statement:
    """A ``values_list`` query with blanks, for one database.

    Args:
        build: makes the query; called when it is first needed, inside its transaction.
    """

    def __init__(self, using: str, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._using = using
        self._build = build
        self._compiler: Any = None

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Execute it with every blank filled in."""
        connection = connections[self._using]
        if self._compiler is None or self._compiler.connection is not connection:
            self._compile(connection)
        params = list(self._params)
        for place, blank in self._blanks:
            params[place] = blank.output_field.get_db_prep_value(values[blank.name], connection)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            rows = cursor.fetchall()
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        return list(map(tuple, rows))

    def _compile(self, connection: Any) -> None:
        """Once for each thread: a connection is its thread's own."""
        self._compiler = compiler = self._build().query.get_compiler(connection=connection)
        self._sql, params = compiler.as_sql()
        self._params = tuple(params)
        self._blanks = [(n, item) for n, item in enumerate(params) if isinstance(item, Blank)]
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self._converters = compiler.get_converters(columns)
