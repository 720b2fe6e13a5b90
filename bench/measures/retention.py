"""Start lag while retention deletes a long history. PostgreSQL only."""

from __future__ import annotations

import threading
import time
from typing import Any

from bench import surroundings
from bench.measures import lag, memory
from bench.systems import System

LOOK = 1.0


def measure(system: System, *, jobs: int, seconds: int, ended: int) -> dict[str, Any]:
    """Measure while so many runs are there that ended before ``APSCHEDULER_KEEP_DAYS``."""
    from scheduler.models import Execution

    surroundings.history(ended)
    counts: list[tuple[float, int]] = []
    held: list[float] = []

    def watch() -> None:
        from django.db import connection

        while True:
            counts.append((time.monotonic(), Execution.objects.filter(job_id="old").count()))
            held.append(memory.now())
            if not counts[-1][1]:
                break
            connection.close()
            time.sleep(LOOK)

    threading.Thread(target=watch, daemon=True).start()
    found = lag.starts(system, jobs, seconds, spread=True)
    (since, first), (until, left) = counts[0], counts[-1]
    deleted = first - left
    return found | {
        "deleted": deleted,
        "deleted_a_second": deleted / (until - since) if until > since else None,
        "memory": max(held),
    }
