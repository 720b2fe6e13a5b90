"""Bodies that write down that they were called, and one that waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from scheduler.engine.executors.runner import current_run
from scheduler.models import Job

calls: list[tuple[Any, ...]] = []
"""Job, slot and attempt of each call, in order."""
gate = threading.Event()


def note() -> str:
    run = current_run()
    assert run is not None
    calls.append((run.job_id, run.scheduled_run_time, run.attempt))
    return "noted"


def wait() -> str:
    """Goes on when the test opens ``gate``."""
    note()
    return "passed" if gate.wait(30) else "nobody opened"


def talk_and_wait() -> None:
    print("on its way")
    wait()


def boom() -> None:
    note()
    raise ValueError("on purpose")


def boom_later() -> None:
    wait()
    raise ValueError("on purpose")


def poison() -> str:
    """A result that no text column stores as it is."""
    note()
    print("nul \0, surrogate \ud800")
    return "\0\ud800"


def shout() -> str:
    """A log that a small character set has no letters for."""
    note()
    print("done \N{ROCKET}")
    return "noted"


def talk() -> None:
    """More than fits into the free pages of a small file."""
    wait()
    print("word " * 12_000)


def die() -> None:
    """What the kernel does to a process that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def end_a_program() -> int:
    program = subprocess.Popen(["sleep", "30"])
    program.terminate()
    try:
        return program.wait(10)
    finally:
        program.kill()


def hand_over_stdout() -> list[object]:
    sys.stdout.writelines(["a line\n"])
    subprocess.run(["true"], stdout=sys.stdout, check=True)
    return [sys.stdout.fileno(), bool(sys.stdout.encoding and sys.stdout.writable())]


def linger() -> None:
    """For a body in a process, which no event of the test reaches."""
    time.sleep(30)


def wait_for_file(started: str, go: str) -> None:
    """For a body in a process: says that it began, and goes on when the test makes the file."""
    Path(started).touch()
    for _ in range(600):
        if Path(go).exists():
            return
        time.sleep(0.05)


async def count_jobs() -> int:
    return await Job.objects.acount()
