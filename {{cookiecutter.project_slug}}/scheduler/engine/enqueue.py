"""Claim one slot of each of many jobs in one statement: the database copies the definitions.

The rows need not travel to the loop and back, which is most of what a claim costs. It is right
because the jobs' rows are locked: what is copied is what was planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections

from ..models import Execution, Job
from ..models.policies import POLICY_FIELDS

COPIED = {
    "job_id": "id",
    "job_uid": "uid",
    "job_name": "name",
    "scheduled_run_time": "next_run_time",
    "due_at": "next_run_time",
    **{name: name for name in POLICY_FIELDS},
}


def can_return(using: str) -> bool:
    """Whether the database says which rows it inserted: all but MySQL do."""
    return connections[using].features.can_return_rows_from_bulk_insert


def enqueue(
    job_ids: Sequence[str], now: datetime, using: str, **columns: Any
) -> list[tuple[int, str]]:
    """Insert the slot ``next_run_time`` of each job, before it is moved on.

    Args:
        columns: values of the executions other than the defaults.

    Returns:
        Execution id and job id of each; nothing where the database cannot say.
    """
    if not job_ids:
        return []
    connection = connections[using]
    quote = connection.ops.quote_name
    names, sources, params = _columns(connection, {"queued_at": now, **columns})
    places = ", ".join(["%s"] * len(job_ids))
    sql = (
        f"INSERT INTO {quote(Execution._meta.db_table)} ({', '.join(names)}) "
        f"SELECT {', '.join(sources)} FROM {quote(Job._meta.db_table)} WHERE id IN ({places})"
    )
    if can_return(using):
        sql += " RETURNING id, job_id"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *job_ids])
        return cursor.fetchall() if can_return(using) else []


def _columns(connection: Any, given: dict[str, Any]) -> tuple[list[str], list[str], list[Any]]:
    """The columns of a new row, where each comes from, and the values among them."""
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
