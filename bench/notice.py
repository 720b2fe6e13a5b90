"""``python -m bench.notice``: from a commit in one process to the start in the scheduler's.

For each way to change a job, how long until the running scheduler acts on it. Beside it what
django-apscheduler makes of the same changes: see ``bench/unnoticed.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bench import databases, sections, unnoticed
from bench.databases import MARIADB, POSTGRESQL, SQLITE
from bench.process import Beside

numbers = count()
LOOK = 0.002
PATIENCE = 10.0
WAYS = ("add", "edit", "pause", "raw SQL", "run now")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.notice", description=__doc__)
    parser.add_argument("--times", type=int, default=300, help="of each way")
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        _inside(options.times, options.inside)
        return
    lines = [
        "### Change notice",
        "",
        f"From the commit in another process to the start of the body, {options.times} times each,"
        f" in ms (pause: to the last start after it). Commit {sections.commit()}.",
        "",
        "| database | way | p50 | p99 | max |",
        "|---|---|---|---|---|",
    ]
    kinds = (POSTGRESQL, SQLITE, MARIADB)
    for kind in kinds:
        lines += _of_database(kind, options.times)
    lines += ["", *unnoticed.table(kinds)]
    sections.write("notice", "\n".join(lines))
    print("\n".join(lines))


def _of_database(kind: str, times: int) -> list[str]:
    """In a process of its own beside a scheduler's, on a fresh database."""
    with databases.fresh(kind) as variables:
        beside = Beside("scheduler", variables)
        beside.run("django", "migrate", "-v0")
        with beside.running("django", "runapscheduler"):
            said = beside.run("bench.notice", "--times", str(times), "--inside", kind)
    return said.splitlines()


def _inside(times: int, kind: str) -> None:
    import django

    django.setup()
    from scheduler import scheduler

    while not scheduler.running:
        time.sleep(LOOK)
    for way in WAYS:
        felt = sorted(_once(way) for _ in range(times))
        p50, p99 = felt[len(felt) // 2], felt[min(int(len(felt) * 0.99), len(felt) - 1)]
        print(
            f"| {databases.LABELS[kind]} | {way} | {p50 * 1000:.1f} | {p99 * 1000:.1f}"
            f" | {felt[-1] * 1000:.1f} |"
        )


def _once(way: str) -> float:
    """Seconds from the commit to the start."""
    from django.db import connection
    from scheduler import scheduler
    from scheduler.models import Execution

    from bench.work import noop

    id = f"notice-{next(numbers)}"
    now = datetime.now(UTC)
    if way == "add":
        scheduler.add_job(noop, "date", run_date=now, id=id)
        return _start_after(time.time(), id)
    every = {"seconds": 0.02} if way == "pause" else {"hours": 9}
    scheduler.add_job(noop, "interval", **every, id=id)
    if way == "pause":
        _first(lambda: Execution.objects.filter(job_id=id).exists())
        scheduler.pause_job(id)
        at = time.time()
        time.sleep(0.5)
        last = Execution.objects.filter(job_id=id, started_at__isnull=False).latest("started_at")
        return max(last.started_at.timestamp() - at, 0.0)
    time.sleep(0.01 * (int(now.timestamp() * 1000) % 25))  # anywhere between two looks
    if way == "edit":
        scheduler.reschedule_job(id, trigger="date", run_date=datetime.now(UTC))
    elif way == "raw SQL":
        due = connection.ops.adapt_datetimefield_value(datetime.now(UTC) - timedelta(seconds=1))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE scheduler_job SET next_run_time = %s WHERE id = %s", [due, id])
    else:
        scheduler.run_now(id)
    at = time.time()
    felt = _start_after(at, id)
    if way != "edit":
        scheduler.remove_job(id)
    return felt


def _start_after(at: float, id: str) -> float:
    from scheduler.models import Execution

    started = Execution.objects.filter(job_id=id, finished_at__isnull=False)
    row = _first(lambda: started.values_list("started_at", flat=True).first())
    return float(row.timestamp() - at)


def _first(look: Callable[[], Any]) -> Any:
    end = time.time() + PATIENCE
    while not (found := look()):
        if time.time() > end:
            raise TimeoutError(f"nothing started within {PATIENCE:g} s")
        time.sleep(LOOK)
    return found


if __name__ == "__main__":
    main()
