"""Job bodies that the tests schedule."""

from __future__ import annotations

import os
import signal
import threading
import time

gate = threading.Event()
"""A body that waits here goes on when a test opens it."""


def noop() -> None:
    """Nothing."""


def tick() -> int:
    print("tick")
    return 1


def wait_at_gate() -> str:
    return "passed" if gate.wait(30) else "nobody opened"


def boom() -> None:
    raise ValueError("no\0good \ud800")


def add(a: int, b: int = 0) -> int:
    return a + b


async def later() -> str:
    return "later"


def spin(seconds: float) -> None:
    """Hold the interpreter, as a bad regular expression does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
