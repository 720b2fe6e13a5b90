"""``python -m bench.orm``: the loop's two statement helpers beside what Django's ORM does.

``update_each`` writes the outcomes of a turn, ``PreparedQuery`` reads the queue. Both exist because
the ORM's own way costs more; this measures by how much, on the same rows in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from bench import databases
from bench.databases import LABELS, MARIADB, POSTGRESQL, SQLITE
from bench.process import Beside

ROWS = 50
"""Rows of one turn."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.orm", description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="pairs of calls of each kind")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        _inside(options.times)
        return
    print(f"{ROWS} rows; ms, median of {options.times} pairs; ratio of the medians")
    for kind in (SQLITE, POSTGRESQL, MARIADB):
        with databases.fresh(kind) as variables:
            beside = Beside("scheduler", variables)
            beside.run("django", "migrate", "-v0")
            print(LABELS[kind])
            print(beside.run("bench.orm", "--times", str(options.times), "--inside"), end="")


def _inside(times: int) -> None:
    import django

    django.setup()
    from django.utils import timezone
    from scheduler.db.bulk import update_each
    from scheduler.db.prepared import Param, PreparedQuery
    from scheduler.models import Execution
    from scheduler.models.execution import Status

    now = timezone.now()
    executions = Execution._base_manager
    executions.bulk_create(
        Execution(job_id="job", job_uid=uuid.uuid4(), func="bench.work:noop", due_at=now,
                  queued_at=now)
        for _ in range(ROWS)
    )  # fmt: skip
    ids = list(executions.values_list("id", flat=True))

    def ours() -> None:
        rows = [(id, Status.QUEUED, now, "") for id in ids]
        update_each("default", Execution, ("status", "finished_at", "log"), rows)

    def bulk_update() -> None:
        rows = [Execution(id=id, status=Status.QUEUED, finished_at=now, log="") for id in ids]
        executions.bulk_update(rows, ["status", "finished_at", "log"])

    def queue(moment: object):
        rows = executions.filter(status=Status.QUEUED, due_at__lte=moment, executor="default")
        return rows.order_by("due_at", "id").values_list("id", "job_id", "func", "args", "kwargs")

    blank = Param("now", Execution._meta.get_field("due_at"))
    statement = PreparedQuery("default", lambda: queue(blank)[:1])
    _compare("write outcomes", "bulk_update", ours, bulk_update, times)
    _compare(
        "read the queue", "a query set", lambda: statement.rows(now=now + timedelta(1)),
        lambda: list(queue(now + timedelta(1))[:1]), times,
    )  # fmt: skip


def _compare(
    what: str, other: str, ours: Callable[[], object], theirs: Callable[[], object], times: int
) -> None:
    """In turn, so that a machine whose speed drifts slows both."""
    pairs = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(times + 1)][1:]
    mine, others = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"  {what}: {mine:.2f}; {other}: {others:.2f}; ratio {others / mine:.1f}")


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
