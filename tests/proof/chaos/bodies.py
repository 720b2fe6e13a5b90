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


def hang_at_times() -> None:
    """Every other run of a job of four seconds lasts longer than the timeout of its job."""
    from scheduler import current_run

    write("start")
    due = current_run().scheduled_run_time
    if due is not None and due.timestamp() // 4 % 2:
        time.sleep(30)
    write("end")
