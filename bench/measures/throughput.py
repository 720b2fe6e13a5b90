"""Executions a second: many jobs due at one moment, until the history shows every run.

Several waves in one process; whatever runs before the first one warms up (imports, connections,
threads) and is not counted. For a system without history the clock stops at its last event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.systems import System
from bench.work import Planned, notes

LOOK = 0.005
QUIET = 0.3
"""Seconds before a wave in which nothing may be going on."""


def measure(system: System, *, jobs: int, waves: int, every: float) -> dict[str, Any]:
    """Measure how many runs end in a second.

    Args:
        every: seconds between waves; a system that needs longer is cut off there.
    """
    first = datetime.now(UTC) + timedelta(seconds=1)
    planned = [Planned(n, first, timedelta(seconds=every)) for n in range(jobs)]
    watch = Watch(system, first.timestamp(), jobs, waves, every)
    error = watch.around(lambda: system.run(planned, misfire_grace_time=None))
    return {
        "jobs": jobs,
        "rates": [jobs / seconds for seconds in watch.seconds],
        "ran": len(notes.starts),
        "recorded": system.finished(),
        "complete": watch.complete,
        "error": error,
    }


class Watch(threading.Thread):
    """Reads the clock when a wave is complete, from its own thread and connection."""

    def __init__(self, system: System, first: float, jobs: int, waves: int, every: float) -> None:
        super().__init__(daemon=True)
        self.system, self.first, self.jobs = system, first, jobs
        self.waves, self.every = waves, every
        self.seconds: list[float] = []
        self.complete = False
        """Whether each run of each wave is in the history, and nothing else."""

    def around(self, run: Callable[[], None]) -> str | None:
        """Call ``run`` while watching. Returns what ended it, if that was not us."""
        self.start()
        try:
            run()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        self.join()
        return None

    def run(self) -> None:
        while len(notes.starts) < self.jobs:
            time.sleep(LOOK)
        for _ in range(self.waves):
            due = self._quiet_before_a_wave()
            before = self.system.finished()
            time.sleep(max(due - time.time(), 0))
            if not self._wait_for(before + self.jobs, due + self.every):
                break
            self.seconds.append(time.time() - due)
        self.complete = len(notes.starts) == self.system.finished()
        self.system.stop()

    def _quiet_before_a_wave(self) -> float:
        """When the next wave is due before which all that ran is recorded."""
        while True:
            passed = (time.time() + 2 * QUIET - self.first) // self.every
            due = self.first + (passed + 1) * self.every
            time.sleep(due - QUIET - time.time())
            if len(notes.starts) == self.system.finished():
                return due

    def _wait_for(self, runs: int, deadline: float) -> bool:
        while len(notes.starts) < runs and time.time() < deadline:
            time.sleep(LOOK)
        while self.system.finished() < runs:
            if time.time() >= deadline:
                return False
            time.sleep(LOOK)
        return True
