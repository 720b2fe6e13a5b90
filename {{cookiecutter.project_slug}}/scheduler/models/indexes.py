"""An index of the few rows that matter, on every database."""

from __future__ import annotations

from typing import Any

from django.db.models import Index, Q


class PartialIndex(Index):
    """Index only the rows that satisfy ``rows``; all rows where the database has no partial index.

    Django's own ``condition`` creates nothing at all on MySQL and MariaDB, and warns there.

    Args:
        rows: a condition on columns of the model.
    """

    def __init__(self, *expressions: Any, rows: Q, **options: Any) -> None:
        super().__init__(*expressions, **options)
        self.rows = rows

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **options: Any) -> Any:
        """Return the CREATE INDEX statement for this database."""
        if not schema_editor.connection.features.supports_partial_indexes:
            return super().create_sql(model, schema_editor, using=using, **options)
        plain = Index(fields=self.fields, name=self.name, condition=self.rows)
        return plain.create_sql(model, schema_editor, using=using, **options)

    def deconstruct(self) -> Any:
        """Return what a migration writes to make the same index."""
        path, expressions, options = super().deconstruct()
        return path, expressions, {**options, "rows": self.rows}
