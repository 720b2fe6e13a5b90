"""Many rows, one statement: what Django's ``bulk_update`` does four times slower.

PostgreSQL gets many values as one text of JSON, which is written and quoted in C: psycopg goes
through arrays and parameters one by one, which takes three times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, models

from .trips import Answer, Statement, later, send, transaction_in_few_trips


def update_each(
    using: str,
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: str = "",
    params: Sequence[Any] = (),
) -> int:
    """Set ``columns`` of each row to its own values: all of them, or none.

    Args:
        rows: one sequence for each row: its primary key, then the values in the order of columns.
        where: more SQL conditions on table ``t``, with ``params``.

    Returns:
        How many rows matched.
    """
    statements = _each(using, model, columns, rows, where, params)
    is_one = len(statements) < 2 and not any(statement.many for statement in statements)
    if not is_one and not connections[using].in_atomic_block:
        with transaction_in_few_trips(using):
            return _count(send(using, *statements))
    return _count(send(using, *statements))


def update_each_later(
    using: str,
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    heard: Callable[[int], None] = lambda matched: None,
    *,
    where: str = "",
    params: Sequence[Any] = (),
) -> None:
    """Do what ``update_each`` does with the next statement that is waited for; see ``db.trips``."""
    statements = _each(using, model, columns, rows, where, params)
    answers: list[Answer] = []

    def last(answer: Answer) -> None:
        answers.append(answer)
        heard(_count(answers))

    for statement in statements[:-1]:
        later(using, statement, answers.append)
    for statement in statements[-1:]:
        later(using, statement, last)


def update_all_later(
    using: str, model: type[models.Model], keys: Sequence[Any], values: Mapping[str, Any]
) -> None:
    """Set the same ``values`` (by column) in all rows with these primary keys.

    With the next statement that is waited for; see ``db.trips``.
    """
    if not keys:
        return
    connection = connections[using]
    quote = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in values]
    assign = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    among, keys = one_of(connection, model, keys)
    params = [_preparer(f, connection)(v) for f, v in zip(fields, values.values(), strict=True)]
    sql = f"UPDATE {quote(model._meta.db_table)} SET {assign} WHERE {among}"  # noqa: S608
    later(using, Statement(sql, [*params, *keys]))


def one_of(
    connection: Any, model: type[models.Model], keys: Sequence[Any]
) -> tuple[str, Sequence[Any]]:
    """Return the condition that a row has one of the primary keys, and its parameters."""
    pk: Any = model._meta.pk
    column = connection.ops.quote_name(pk.column)
    if connection.vendor != "postgresql":
        return f"{column} IN ({', '.join(['%s'] * len(keys))})", keys
    type_ = pk.rel_db_type(connection)
    # An array, not a set: it is there before the plan is carried out, which then asks the index.
    given = f"SELECT value::{type_} FROM json_array_elements_text(%s::json)"  # noqa: S608
    return f"{column} = ANY(ARRAY({given}))", [as_json(keys)]


def recordset(connection: Any, fields: Sequence[Any], alias: str) -> str:
    """Return SQL for rows of these columns, of which ``as_json`` of the rows is the parameter."""
    quote = connection.ops.quote_name
    columns = ", ".join(
        f"{quote(field.column)} {field.rel_db_type(connection)}" for field in fields
    )
    return f"json_to_recordset(%s::json) AS {alias}({columns})"


def as_records(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """Return the rows in the form that ``recordset`` reads; they are as the database wants them."""
    names = [field.column for field in fields]
    return as_json([dict(zip(names, row, strict=True)) for row in rows])


def as_json(values: Sequence[Any]) -> str:
    """Return values of columns as PostgreSQL reads them from JSON."""
    return json.dumps(values, default=_as_text, ensure_ascii=False, separators=(",", ":"))


def _each(
    using: str,
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    where: str,
    params: Sequence[Any],
) -> list[Statement]:
    """Make one statement on PostgreSQL, one with many values on SQLite, elsewhere one for each row.

    On MySQL and MariaDB they share a message.
    """
    if not rows:
        return []
    connection = connections[using]
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in columns)]
    prepare = [_preparer(field, connection) for field in fields]
    values = [[as_stored(v) for as_stored, v in zip(prepare, row, strict=True)] for row in rows]
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), [quote(field.column) for field in fields]
    condition = f" AND {where}" if where else ""
    if connection.vendor == "postgresql":
        assign = ", ".join(f"{name} = v.{name}" for name in names[1:])
        sql = (
            f"UPDATE {table} t SET {assign} FROM {recordset(connection, fields, 'v')} "  # noqa: S608
            f"WHERE t.{names[0]} = v.{names[0]}{condition}"
        )
        return [Statement(sql, [as_records(fields, values), *params])]
    assign = ", ".join(f"{name} = %s" for name in names[1:])
    alias = f"{table} AS t" if connection.vendor == "sqlite" else f"{table} t"
    sql = f"UPDATE {alias} SET {assign} WHERE t.{names[0]} = %s{condition}"  # noqa: S608
    each = [[*row[1:], row[0], *params] for row in values]
    if connection.vendor == "sqlite":
        return [Statement(sql, many=each)]
    return [Statement(sql, one) for one in each]


def _count(answers: Sequence[Answer]) -> int:
    return sum(answer.count for answer in answers)


def _preparer(field: Any, connection: Any) -> Callable[[Any], Any]:
    """Return what brings a value into the database's form, without what forms would need."""
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.CharField | models.TextField):
        return _as_is
    return lambda value: field.get_db_prep_save(value, connection)


def _as_is(value: Any) -> Any:
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, datetime | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON that a column reads")
