"""Very many jobs: all added, some paused and resumed, and all removed.

How long each takes, the statements that it executed, and what memory this process held meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measures import memory
from bench.systems import System

AT_ONCE = 10_000
PAUSED = 1_000


def measure(system: System, *, jobs: int) -> dict[str, Any]:
    from scheduler import scheduler as client

    def add() -> None:
        for first in range(0, jobs, AT_ONCE):
            client.add_jobs(_jobs(first, min(first + AT_ONCE, jobs)))

    some = [f"{n}" for n in range(min(jobs, PAUSED))]
    return {
        "jobs": jobs,
        "before": memory.now(),
        "added": _step(jobs, add),
        "paused": _step(len(some), lambda: [client.pause_job(id) for id in some]),
        "resumed": _step(len(some), lambda: [client.resume_job(id) for id in some]),
        "removed": _step(jobs, client.remove_all_jobs),
    }


def _step(jobs: int, do: Callable[[], object]) -> dict[str, float]:
    from django.db import connection

    count = 0

    def counted(execute: Any, *words: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*words)

    began = time.perf_counter()
    with connection.execute_wrapper(counted):
        do()
    seconds = time.perf_counter() - began
    return {"a_second": jobs / seconds, "statements": count, "memory": memory.peak()}


def _jobs(first: int, end: int) -> Iterator[dict[str, Any]]:
    from bench.work import noop

    at = datetime.now(UTC) + timedelta(days=365)
    for n in range(first, end):
        yield {"func": noop, "trigger": "date", "run_date": at, "id": f"{n}", "args": []}
