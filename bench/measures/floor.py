"""Executions a second that the bare driver could write: what no scheduler on it can be above.

The same rows as the ledger gets for each run, in batches of fifty and with the same commits: the
row is inserted as running, its job is moved on, and later the row gets its outcome. Nothing is
planned, nothing is run, and no query set is built.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from bench.systems import System

BATCH = 50


def measure(system: System, *, jobs: int, rounds: int) -> dict[str, Any]:
    from datetime import UTC, datetime, timedelta

    from django.db import connection
    from scheduler import scheduler as client
    from scheduler.models import Execution, Job

    from bench.work import noop

    at = datetime.now(UTC) + timedelta(days=1)
    client.add_jobs(
        [{"func": noop, "trigger": "date", "run_date": at, "id": f"{n}"} for n in range(jobs)]
    )
    seed = Execution.for_job(Job.objects.get(id="0"), status="running", due_at=at, queued_at=at)
    fields = [f for f in Execution._meta.local_concrete_fields if not f.primary_key]
    prepared = {f.attname: f.get_db_prep_save(getattr(seed, f.attname), connection) for f in fields}
    connection.ensure_connection()
    rates = [_rate(jobs, number, prepared) for number in range(rounds)]
    written = Execution.objects.filter(status="succeeded").count()
    return {"rates": rates, "error": None, "complete": written == jobs * rounds}


def _rate(jobs: int, number: int, values: dict[str, Any]) -> float:
    """Write for each job what a run leaves behind, as its attempt ``number``."""
    from django.db import connection

    raw = connection.connection
    mark = "?" if connection.vendor == "sqlite" else "%s"
    quote = connection.ops.quote_name
    row = f"({', '.join([mark] * len(values))})"
    ids = ", ".join([mark] * BATCH)
    insert = (
        f"INSERT INTO scheduler_execution ({', '.join(map(quote, values))}) "
        f"VALUES {', '.join([row] * BATCH)}"
    )
    move = f"UPDATE scheduler_job SET next_run_time = {mark} WHERE id IN ({ids})"
    end = (
        f"UPDATE scheduler_execution SET status = 'succeeded', finished_at = {mark} "
        f"WHERE attempt = {mark} AND job_id IN ({ids})"
    )
    at, began = values["due_at"], time.perf_counter()
    for first in range(0, jobs, BATCH):
        batch = [str(n) for n in range(first, first + BATCH)]
        rows = [
            {**values, "job_id": id, "attempt": number, "job_uid": _uid(id, values)} for id in batch
        ]
        flat = [value for one in rows for value in one.values()]
        _transaction(raw, (insert, flat), (move, [at, *batch]))
        _transaction(raw, (end, [at, number, *batch]))
    return jobs / (time.perf_counter() - began)


def _uid(id: str, values: dict[str, Any]) -> Any:
    uid = UUID(int=int(id) + 1)
    return uid if isinstance(values["job_uid"], UUID) else uid.hex


def _transaction(raw: Any, *statements: tuple[str, list[Any]]) -> None:
    cursor = raw.cursor()
    cursor.execute("BEGIN")
    for sql, params in statements:
        cursor.execute(sql, params)
    cursor.execute("COMMIT")
    cursor.close()
