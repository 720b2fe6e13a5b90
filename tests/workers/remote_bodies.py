"""Bodies that run in a worker's process, which no event of the test reaches."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from scheduler import current_run


def note() -> int:
    print("printed")
    logging.getLogger("tests").info("logged")
    return os.getpid()


def wait_for(path: str) -> str:
    """Says that it began, and goes on when the test makes the file."""
    Path(f"{path}.{current_run().attempt}").touch()
    print("waiting")
    for _ in range(1200):
        if Path(path).exists():
            return "went on"
        time.sleep(0.05)
    return "nobody came"


def end_process() -> None:
    os._exit(1)


def append(path: str) -> None:
    """One line for each call: its job, slot and attempt."""
    run = current_run()
    line = f"{run.job_id} {run.scheduled_run_time.isoformat()} {run.attempt}\n"
    with open(path, "a", encoding="utf-8") as calls:
        calls.write(line)
    time.sleep(0.2)
