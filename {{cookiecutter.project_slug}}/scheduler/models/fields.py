"""A key that compares byte for byte on every database."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import IContains
from django.db.models.sql.compiler import SQLCompiler


class KeyField(models.CharField):
    """``CharField`` whose ``Job``, ``job`` and ``job `` are three keys on MariaDB and MySQL too.

    Not ``utf8mb4_bin``: that one pads, so that it does not see trailing spaces.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = dict(super().db_parameters(connection))
        if connection.vendor == "mysql":
            is_mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]
            parameters["collation"] = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
        return parameters


@KeyField.register_lookup
class KeyContains(IContains):
    """Match a part of a key in any case on MariaDB and MySQL too, whose collation is exact."""

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        column, column_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        return f"LOWER({column}) LIKE LOWER({text})", [*column_params, *text_params]
