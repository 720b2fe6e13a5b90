"""No statement of the loop reads a table: with 100,000 jobs and executions, each uses an index.

A leader turns through all that it does, idle and busy; the database explains each statement that it
sent, without statistics of the tables and with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from scheduler import scheduler, triggers
from scheduler.db.trips import SEPARATOR
from scheduler.models import Execution, Job
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, every_second
from .peers import Peer

DOUBLINGS = 17
SMALL = ("scheduler_node", "scheduler_tallyopen")
"""A row for each process, and at most a thousand runs that have not ended."""
BIG = ("scheduler_job", "scheduler_execution")
UUID = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "gen_random_uuid()",
    "mysql": "replace(uuid(), '-', '')",
}


@pytest.fixture
def crowd(peer) -> Iterator[Peer]:
    """A leader beside 131,072 jobs that are far from due, and as many runs that have ended."""
    seed = scheduler.add_job(bodies.note, "date", run_date="2099-01-01", id="far")
    job = Job.objects.get(id=seed.id)
    run = Execution.for_job(job, status=Status.SUCCEEDED, due_at=job.created_at)
    run.queued_at = run.started_at = run.finished_at = job.created_at
    run.save()
    _double(Job, id="{id} || '{n}'", uid=UUID[connection.vendor])
    _double(Execution, job_id="{job_id} || '{n}'", job_uid=UUID[connection.vendor])
    a = peer("a")
    a.lead()
    return a


def test_no_statement_of_the_loop_reads_a_whole_table(crowd, database_clock):
    statements: dict[str, Any] = {}

    def remember(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        values = list((params[0] if many and params else params) or ())
        for one in sql.split(SEPARATOR):
            own, values = values[: one.count("%s")], values[one.count("%s") :]
            if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", one):
                statements.setdefault(one, own)
        return execute(sql, params, many, context)

    def watched() -> Any:
        return connection.execute_wrapper(remember)

    wrapper = crowd.do(watched)
    crowd.do(wrapper.__enter__)
    _all_that_a_leader_does(crowd, database_clock)
    crowd.do(lambda: wrapper.__exit__(None, None, None))
    assert len(statements) > 20
    reading = _reads_a_table(statements) + _reads_a_table(statements, analyzed=True)
    assert reading == [], "\n\n".join(reading)


def _all_that_a_leader_does(a: Peer, database_clock: Any) -> None:
    a.turn()
    add(bodies.note, id="once")
    every_second(database_clock.now(), id="often", coalesce=False)
    scheduler.add_job(bodies.note, "date", run_date="2099-01-01", id="changed")
    another = triggers.dumps(triggers.build("interval", hours=1, timezone="UTC"))
    Job.objects.filter(id="changed").update(trigger=another)
    add(bodies.boom, id="failing", max_retries=1)
    Job.objects.filter(id="once").update(func="tests.nowhere:gone")
    scheduler.run_now("changed")
    a.turn_until(lambda: Execution.objects.filter(job_id="failing", attempt=2).exists())
    leader = a.scheduler.loop.leader
    for _ in range(3):
        leader._chores_at = leader._quarantine_at = leader.retention._by_age_at = 0.0
        leader.tallies._due = 0.0
        a.beat()


def _reads_a_table(statements: dict[str, Any], analyzed: bool = False) -> list[str]:
    with connection.cursor() as cursor:
        if analyzed:
            for table in BIG:
                prefix = "ANALYZE TABLE" if connection.vendor == "mysql" else "ANALYZE"
                cursor.execute(f"{prefix} {table}")
                cursor.fetchall() if connection.vendor == "mysql" else None
        return [
            f"{line}\n  {sql}"
            for sql, params in statements.items()
            for line in EXPLAINED[connection.vendor](cursor, sql, params)
        ]


def _sqlite(cursor: Any, sql: str, params: Any) -> Iterator[str]:
    cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
    for *_, line in cursor.fetchall():
        is_scan = line.startswith("SCAN ") and "CONSTANT ROW" not in line
        if is_scan and line.split()[1] not in SMALL:
            yield line


def _postgresql(cursor: Any, sql: str, params: Any) -> Iterator[str]:
    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
    plan = cursor.fetchone()[0]
    nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
            yield f"Seq Scan on {node['Relation Name']}"


def _mysql(cursor: Any, sql: str, params: Any) -> Iterator[str]:
    cursor.execute(f"EXPLAIN {sql}", params)
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        line = dict(zip(names, row, strict=True))
        if line["type"] in ("ALL", "index") and int(line["rows"] or 0) > 10_000:
            yield f"{line['type']} of {line['table']}: {line['rows']} rows"


EXPLAINED = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}


def _double(model: Any, **changed: str) -> None:
    """Copy all rows of the table onto itself, again and again, with other keys."""
    fields = [f for f in model._meta.concrete_fields if not f.generated]
    names = [f.column for f in fields if changed.get(f.column) or not f.primary_key]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')")
        for n in range(DOUBLINGS):
            values = [
                changed[name].format(id=quote("id"), job_id=quote("job_id"), n=chr(ord("a") + n))
                if name in changed
                else quote(name)
                for name in names
            ]
            table = quote(model._meta.db_table)
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(map(quote, names))}) "
                f"SELECT {', '.join(values)} FROM {table}"
            )
