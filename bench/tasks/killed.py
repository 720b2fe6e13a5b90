"""Workers that are killed while tasks run: what ran twice, what never comes to its end."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.tasks.project import Project, notes
from bench.tasks.systems import LOCK_TIMEOUT

TASKS, KILLS = 1_500, 5
UNCHANGED = 2.0 * LOCK_TIMEOUT + 2
"""Seconds without a change after which what is unfinished stays so."""
LOOK = 0.02


def killed(project: Project, way: str) -> dict[str, int]:
    """``kill -9`` the workers ``KILLS`` times, start new ones at once, and count."""
    with project.fresh(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes"
        variables = {"BENCH_TASKS_NOTES": str(path)}
        workers = project.start(way, **variables)
        project.measure("enqueue_noted", TASKS)
        for number in range(1, KILLS + 1):
            _wait_for_starts(path, number * TASKS // (KILLS + 1))
            project.kill(workers)
            workers = project.start(way, **variables)
        left = _settled(project)
        project.stop(workers)
        return counted(notes(path), TASKS) | left


def counted(lines: Iterable[tuple[str, int]], tasks: int) -> dict[str, int]:
    """Count what ``tasks`` tasks noted themselves: events and numbers."""
    by_event: dict[str, Counter[int]] = {"start": Counter(), "end": Counter()}
    for event, number in lines:
        by_event[event][number] += 1
    starts, ends = by_event["start"], by_event["end"]
    return {
        "enqueued": tasks,
        "interrupted": sum(starts.values()) - sum(ends.values()),
        "ran_twice": sum(times > 1 for times in starts.values()),
        "never_started": tasks - len(starts),
    }


def _wait_for_starts(path: Path, count: int) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if sum(event == "start" for event, _ in notes(path)) >= count:
            return
        time.sleep(LOOK)
    raise TimeoutError(f"{count} tasks have not started within a minute")


def _settled(project: Project) -> dict[str, Any]:
    seen, since = {}, time.monotonic()
    while time.monotonic() - since < UNCHANGED:
        found = project.measure("count")
        if found != seen:
            seen, since = found, time.monotonic()
        if not found["left"]:
            break
        time.sleep(0.5)
    return {"stuck": seen["left"], "explained": seen["explained"]}
