"""A query of the loop, compiled once: Django takes longer to build one than the server to answer.

The text is Django's own, so it is right on every database; only the values are new each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.models import Expression, QuerySet

from .trips import Answer, Statement, later, send


class Param(Expression):
    """The place of a value in a query; ``field`` knows how the database wants it."""

    def __init__(self, name: str, field: Any) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        return "%s", (self,)


class PreparedQuery:
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
        return self._read(send(self._using, self._statement(values))[0])

    def later(self, heard: Callable[[list[tuple[Any, ...]]], None], **values: Any) -> None:
        """Execute it with the next statement that is waited for; see ``db.trips``."""
        later(self._using, self._statement(values), lambda answer: heard(self._read(answer)))

    def _statement(self, values: dict[str, Any]) -> Statement:
        connection = connections[self._using]
        if self._compiler is None or self._compiler.connection is not connection:
            self._compile(connection)
        params = list(self._params)
        for place, blank in self._blanks:
            params[place] = blank.output_field.get_db_prep_value(values[blank.name], connection)
        return Statement(self._sql, params)

    def _read(self, answer: Answer) -> list[tuple[Any, ...]]:
        if not self._converters:
            return answer.rows
        return list(map(tuple, self._compiler.apply_converters(answer.rows, self._converters)))

    def _compile(self, connection: Any) -> None:
        """Compile the query for this thread, since a connection is its thread's own."""
        self._compiler = compiler = self._build().query.get_compiler(connection=connection)
        self._sql, params = compiler.as_sql()
        self._params = tuple(params)
        self._blanks = [(n, item) for n, item in enumerate(params) if isinstance(item, Param)]
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self._converters = compiler.get_converters(columns)
