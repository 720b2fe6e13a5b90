"""Job bodies under chaos. Each writes that it started, works, and writes that it ended."""

from __future__ import annotations

import time

from .record import write


def tick() -> None:
    write("start")
    write("end")


def work(seconds: float) -> None:
    write("start")
    time.sleep(seconds)
    write("end")


def once(number: int) -> int:
    write("start")
    write("end")
    return number
