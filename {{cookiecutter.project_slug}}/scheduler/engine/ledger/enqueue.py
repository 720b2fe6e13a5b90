"""Claim one slot of each of many jobs in one statement: the database copies the definitions.

The rows need not travel to the loop and back, which is most of what a claim costs. It is right
because the jobs' rows are locked: what is copied is what was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connections

from ...db.bulk import one_of
from ...db.trips import Statement, later
from ...models import Execution, Job
from ...models.runspec import RUN_SPEC_FIELDS

COPIED = {
    "job_id": "id",
    "job_uid": "uid",
    "job_name": "name",
    "scheduled_run_time": "next_run_time",
    "due_at": "next_run_time",
    **{name: name for name in RUN_SPEC_FIELDS},
}


def can_return(using: str) -> bool:
    """Return whether the database says which rows it inserted: all but MySQL do."""
    return connections[using].features.can_return_rows_from_bulk_insert


def enqueue(
    job_ids: Sequence[str],
    now: datetime,
    using: str,
    heard: Callable[[dict[str, int]], None] = lambda ids: None,
    **columns: Any,
) -> None:
    """Insert the slot ``next_run_time`` of each job, before it is moved on.

    With the next statement that is waited for; see ``db.trips``.

    Args:
        heard: called with the execution's id of each job id, where the database can say.
        columns: values of the executions other than the defaults.
    """
    if not job_ids:
        return
    connection = connections[using]
    quote = connection.ops.quote_name
    names, sources, params = _columns(connection, {"queued_at": now, **columns})
    among, keys = one_of(connection, Job, job_ids)
    sql = (
        f"INSERT INTO {quote(Execution._meta.db_table)} ({', '.join(names)}) "  # noqa: S608
        f"SELECT {', '.join(sources)} FROM {quote(Job._meta.db_table)} WHERE {among}"
    )
    if can_return(using):
        sql += " RETURNING job_id, id"
    statement = Statement(sql, [*params, *keys])
    later(using, statement, lambda answer: heard(dict(answer.rows)))


def _columns(connection: Any, given: dict[str, Any]) -> tuple[list[str], list[str], list[Any]]:
    """Return the columns of a new row, where each comes from, and the values among them."""
    names, sources, params = [], [], []
    for field in Execution._meta.local_concrete_fields:
        if field.attname in COPIED:
            source: Any = Job._meta.get_field(COPIED[field.attname])
            sources.append(connection.ops.quote_name(source.column))
        else:
            value = given.get(field.attname, field.get_default())
            if field.primary_key or value is None:
                continue
            sources.append("%s")
            params.append(field.get_db_prep_save(value, connection))
        names.append(connection.ops.quote_name(field.column))
    return names, sources, params
