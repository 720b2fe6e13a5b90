"""New rows: one with a record of it in one round trip, and many with few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, cast

from django.db import IntegrityError, connections, models, transaction

from .notify import CHANNEL
from .trips import Statement, send, transaction_in_few_trips

AS_THEY_ARE = (
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.FloatField,
    models.IntegerField,
)
"""The columns that take the types of Python that were checked to be theirs."""
AT_ONCE = 5_000
"""Rows that are in the database's form at one time, whatever their number: memory stays flat."""


def insert_recorded(using: str, row: models.Model, record: models.Model) -> bool:
    """Insert a row, a record of it, and announce both; neither where the row's key is taken.

    Needs no savepoint: a key that is taken is no error to the database, or rolls back no more than
    its own statement. A surrounding transaction stays usable.

    Returns:
        Whether the row is there now.
    """
    connection = connections[using]
    into, places, values = _insert(connection, row)
    record_into, record_places, recorded = _insert(connection, record)
    first = f"{into} VALUES ({places})"
    if connection.vendor == "postgresql":
        sql = (
            f"WITH new AS ({first} ON CONFLICT ({_key(connection, row)}) DO NOTHING RETURNING 1), "  # noqa: S608
            f"record AS ({record_into} SELECT {record_places} FROM new) "
            "SELECT pg_notify(%s, '') FROM new"
        )
        (answer,) = send(using, Statement(sql, [*values, *recorded, CHANNEL]))
        return bool(answer.rows)
    second = f"{record_into} VALUES ({record_places})"
    try:
        send(using, Statement(first, values), Statement(second, recorded))
    except IntegrityError:
        return False
    return True


def whole(using: str) -> AbstractContextManager[None]:
    """Open a transaction, or take part in the one that is open, without a savepoint.

    Within an open one, an error makes that one unusable: it was to be whole.
    """
    if connections[using].in_atomic_block:
        return transaction.atomic(using, savepoint=False)
    return transaction_in_few_trips(using)


def insert_many(
    using: str, model: type[models.Model], rows: Iterable[Mapping[str, Any]], **same: Any
) -> None:
    """Insert new rows of one model, whose values are as the columns want them.

    What Django's ``bulk_create`` does many times slower; PostgreSQL copies them in. No row gets an
    id that the database gives.

    Args:
        rows: the values of each by the attributes of the model.
        same: values that all rows have.

    Raises:
        IntegrityError: a key is taken. The surrounding transaction is then to be rolled back.
    """
    connection = connections[using]
    fields = {field.attname: field for field in _stored_fields(model)}
    default = {name: field.get_default() for name, field in fields.items()} | same
    prepare = {name: _preparer(field, connection) for name, field in fields.items()}
    prepared = {name: prepare[name](value) for name, value in default.items()}
    waiting: list[Mapping[str, Any]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == AT_ONCE:
            _write(connection, model, _columns(waiting, prepare, prepared))
            waiting = []
    if waiting:
        _write(connection, model, _columns(waiting, prepare, prepared))


def _columns(
    rows: Sequence[Mapping[str, Any]],
    prepare: Mapping[str, Callable[[Any], Any]],
    same: Mapping[str, Any],
) -> dict[str, Sequence[Any]]:
    """Return each column's values in the database's form: by column that is a loop in C."""
    given = rows[0].keys()
    columns: dict[str, Sequence[Any]] = {}
    for name, as_stored in prepare.items():
        if name not in given:
            columns[name] = [same[name]] * len(rows)
            continue
        values = [row[name] for row in rows]
        columns[name] = values if as_stored is _as_is else list(map(as_stored, values))
    return columns


def _write(
    connection: Any, model: type[models.Model], columns: Mapping[str, Sequence[Any]]
) -> None:
    rows = zip(*columns.values(), strict=True)
    into = _into(model, connection.alias)
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", list(rows))  # noqa: S608
            return
        with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _insert(connection: Any, row: models.Model) -> tuple[str, str, list[Any]]:
    """Return how a statement begins that inserts the row, the places of its values, and these."""
    places: list[str] = []
    values: list[Any] = []
    for field in _stored_fields(type(row)):
        value = field.pre_save(row, True)
        if hasattr(value, "as_sql"):
            place, params = value.as_sql(None, connection)
            places.append(place)
            values += params
        else:
            places.append("%s")
            values.append(_preparer(field, connection)(value))
    return f"INSERT INTO {_into(type(row), connection.alias)}", ", ".join(places), values


def _key(connection: Any, row: models.Model) -> str:
    pk: Any = row._meta.pk
    return str(connection.ops.quote_name(pk.column))


@lru_cache(maxsize=64)
def _into(model: type[models.Model], using: str) -> str:
    quote = connections[using].ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _stored_fields(model))
    return f"{quote(model._meta.db_table)} ({columns})"


@lru_cache(maxsize=64)
def _stored_fields(model: type[models.Model]) -> tuple[Any, ...]:
    """Return the columns that a new row brings: not what the database computes."""
    return tuple(
        field
        for field in model._meta.local_concrete_fields
        if not field.generated and not isinstance(field, models.AutoField | models.BigAutoField)
    )


def _preparer(field: Any, connection: Any) -> Callable[[Any], Any]:
    """Return what brings a value into the database's form, without what forms would need."""
    if isinstance(field, models.DateTimeField):
        return cast("Callable[[Any], Any]", connection.ops.adapt_datetimefield_value)
    if isinstance(field, AS_THEY_ARE):
        return _as_is
    return lambda value: field.get_db_prep_save(value, connection)


def _as_is(value: Any) -> Any:
    return value
