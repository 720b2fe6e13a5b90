"""Many rows, one statement: what Django's ``bulk_update`` does four times slower."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connections, models


def update_each(
    using: str,
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: str = "",
    params: Sequence[Any] = (),
) -> int:
    """Set ``columns`` of each row to its own values.

    Args:
        rows: one sequence for each row: its primary key, then the values in the order of columns.
        where: more SQL conditions on table ``t``, with ``params``.

    Returns:
        How many rows matched.
    """
    if not rows:
        return 0
    connection = connections[using]
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in columns)]
    prepare = [_preparer(field, connection) for field in fields]
    values = [[as_stored(v) for as_stored, v in zip(prepare, row, strict=True)] for row in rows]
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), [quote(field.column) for field in fields]
    condition = f" AND {where}" if where else ""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = [field.rel_db_type(connection) or "" for field in fields]
            arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
            assign = ", ".join(f"{name} = v.{name}" for name in names[1:])
            cursor.execute(
                f"UPDATE {table} t SET {assign} FROM unnest({arrays}) AS v({', '.join(names)}) "
                f"WHERE t.{names[0]} = v.{names[0]}{condition}",
                [*map(list, zip(*values, strict=True)), *params],
            )
            return cursor.rowcount
        assign = ", ".join(f"{name} = %s" for name in names[1:])
        alias = f"{table} AS t" if connection.vendor == "sqlite" else f"{table} t"
        cursor.executemany(
            f"UPDATE {alias} SET {assign} WHERE t.{names[0]} = %s{condition}",
            [[*row[1:], row[0], *params] for row in values],
        )
        return cursor.rowcount


def update_all(
    using: str, model: type[models.Model], keys: Sequence[Any], values: Mapping[str, Any]
) -> int:
    """Set the same ``values`` (by column) in all rows with these primary keys.

    Returns:
        How many there were.
    """
    if not keys:
        return 0
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in values]
    assign = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    pk: Any = model._meta.pk
    places = ", ".join(["%s"] * len(keys))
    params = [_preparer(f, connection)(v) for f, v in zip(fields, values.values(), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} SET {assign} "
            f"WHERE {quote(pk.column)} IN ({places})",
            [*params, *keys],
        )
        return cursor.rowcount


def _preparer(field: Any, connection: Any) -> Callable[[Any], Any]:
    """What brings a value into the database's form, without what a form's value would need."""
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.CharField | models.TextField):
        return _as_is
    return lambda value: field.get_db_prep_save(value, connection)


def _as_is(value: Any) -> Any:
    return value
