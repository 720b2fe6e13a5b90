"""Migrations that can be finished where a process was killed in the middle of one.

PostgreSQL and SQLite roll a migration back. MySQL and MariaDB commit each statement by itself and
keep what was done, so that the next ``migrate`` would stumble over a table, a column or an index
that exists already. Every migration of this app derives from ``ResumableMigration``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.utils import DatabaseError


class ResumableMigration(migrations.Migration):
    """A migration that passes over what an interrupted attempt at it has done."""

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        """Apply the operations; see ``Migration.apply``.

        Raises:
            DatabaseError: a table that this migration would create exists and has rows.
        """
        if not schema_editor.connection.features.can_rollback_ddl and not collect_sql:
            _Resumed(schema_editor).install()
        return super().apply(project_state, schema_editor, collect_sql)


class _Resumed:
    """Stands before a schema editor's methods for as long as that editor lives."""

    def __init__(self, editor: Any) -> None:
        self._editor = editor
        self._connection = editor.connection
        self._create_model: Callable[..., None] = editor.create_model
        self._add_field: Callable[..., None] = editor.add_field
        self._add_index: Callable[..., None] = editor.add_index
        self._remove_index: Callable[..., None] = editor.remove_index
        self._add_constraint: Callable[..., None] = editor.add_constraint

    def install(self) -> None:
        for name in ("create_model", "add_field", "add_index", "remove_index", "add_constraint"):
            setattr(self._editor, name, getattr(self, name))

    def create_model(self, model: Any) -> None:
        """Create the table anew if it exists and is empty: its indexes may be missing."""
        table = model._meta.db_table
        if table in self._connection.introspection.table_names():
            if model._base_manager.using(self._connection.alias).exists():
                raise DatabaseError(
                    f"An unfinished migration left the table {table}, which has rows by now. If "
                    "they can be lost, drop it and migrate again; else restore a backup."
                )
            self._editor.delete_model(model)
        self._create_model(model)

    def add_field(self, model: Any, field: Any) -> None:
        with self._connection.cursor() as cursor:
            columns = self._connection.introspection.get_table_description(
                cursor, model._meta.db_table
            )
        if field.column not in {column.name for column in columns}:
            self._add_field(model, field)

    def add_index(self, model: Any, index: Any) -> None:
        if index.name not in self._constraints(model):
            self._add_index(model, index)

    def remove_index(self, model: Any, index: Any) -> None:
        if index.name in self._constraints(model):
            self._remove_index(model, index)

    def add_constraint(self, model: Any, constraint: Any) -> None:
        if constraint.name not in self._constraints(model):
            self._add_constraint(model, constraint)

    def _constraints(self, model: Any) -> dict[str, Any]:
        with self._connection.cursor() as cursor:
            found = self._connection.introspection.get_constraints(cursor, model._meta.db_table)
        return dict(found)
