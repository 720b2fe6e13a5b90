"""What the bodies themselves say: one line for each start and each end, in one file.

``O_APPEND`` and one ``write`` of a short line: lines of any number of processes never mix. The
time is the machine's monotonic clock, which no fault of ours can set.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    event: str
    """``start`` or ``end``."""
    id: int
    job: str
    slot: str
    """ISO text of the scheduled time; empty for a manual run."""
    attempt: int
    term: int
    pid: int
    at: float
    """Seconds on the monotonic clock."""


class Record:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._lines: list[Line] = []

    def lines(self) -> list[Line]:
        """All whole lines so far."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except FileNotFoundError:
            return self._lines
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        self._lines += [Line(*json.loads(line)) for line in whole.splitlines()]
        return self._lines


def write(event: str) -> None:
    """Called by a body, about the run that it is part of."""
    from scheduler.engine.executors.runner import current_run

    run = current_run()
    assert run is not None, "a body of the chaos run was called outside of a scheduler"
    slot = run.scheduled_run_time.isoformat() if run.scheduled_run_time else ""
    line = [event, run.id, run.job_id, slot, run.attempt, run.term, os.getpid(), now()]
    file = os.open(os.environ["CHAOS_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
    finally:
        os.close(file)


def now() -> float:
    return time.clock_gettime(time.CLOCK_MONOTONIC)
