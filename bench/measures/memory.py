"""Memory of the scheduler's process while it executes very many runs."""

from __future__ import annotations

import os
import resource
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.systems import System
from bench.work import noop

MB = 1 << 20
LOOK = 0.1
READINGS = 10


def now() -> float:
    """Return what this process holds in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def peak() -> float:
    """Return the most that this process has held in memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(system: System, *, jobs: int, runs: int, every: float) -> dict[str, Any]:
    """Measure after each tenth of the runs.

    Args:
        jobs: so many are due at one moment, each ``every`` seconds.
    """
    from scheduler import scheduler as client

    first = datetime.now(UTC) + timedelta(seconds=2)
    client.add_jobs(
        {"func": noop, "trigger": "interval", "seconds": every, "start_date": first, "id": f"{n}"}
        for n in range(jobs)
    )
    readings: list[tuple[int, float]] = []

    def watch() -> None:
        due = [runs * tenth // READINGS for tenth in range(1, READINGS + 1)]
        while due:
            time.sleep(LOOK)
            ended = system.finished()
            if ended >= due[0]:
                due.pop(0)
                readings.append((ended, now()))
        system.stop()

    threading.Thread(target=watch, daemon=True).start()
    system.scheduler.start()
    return {"readings": readings, "peak": peak()}
