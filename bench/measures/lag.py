"""Start lag: jobs of one second, spread evenly over it, for a while.

A run's lag is the time its body noted less the slot that the system says it ran for. Both lists
are in order for one job, since its runs never overlap. Policies are each system's defaults.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_EXECUTED

from bench import surroundings
from bench.measures import costs, memory
from bench.systems import System
from bench.work import Planned, notes

LEAD = timedelta(seconds=4)
SECOND = timedelta(seconds=1)
SETTLE = 3.0


def measure(
    system: System,
    *,
    jobs: int,
    seconds: int,
    spread: bool,
    stored: int = 0,
    ended: int = 0,
    idle: float = 0.0,
) -> dict[str, Any]:
    """Measure how late runs start.

    Args:
        spread: evenly over each second; else all at its beginning.
        stored: so many other jobs are there.
        ended: so many runs have ended under a snapshot that is still open.
        idle: so many seconds pass before the first one, which are measured as well.
    """
    if stored:
        surroundings.store(stored)
    with surroundings.old_snapshot(ended):
        if not idle:
            return starts(system, jobs, seconds, spread)
        cost: dict[str, Any] = {}
        watch = threading.Thread(target=lambda: cost.update(costs.over(idle, after=SETTLE)))
        watch.start()
        found = starts(system, jobs, seconds, spread, LEAD + timedelta(seconds=idle + SETTLE))
        return found | {"idle": cost, "memory": memory.peak()}


def starts(
    system: System, jobs: int, seconds: int, spread: bool, lead: timedelta = LEAD
) -> dict[str, Any]:
    """Return how late the runs of so many jobs a second start."""
    first = datetime.now(UTC).replace(microsecond=0) + lead
    step = SECOND / jobs if spread else timedelta()
    planned = [Planned(n, first + n * step, SECOND) for n in range(jobs)]
    owed = {(job.id, slot) for job in planned for slot in job.slots(seconds)}
    ran: list[tuple[str, datetime]] = []
    system.scheduler.add_listener(
        lambda event: ran.append((event.job_id, event.scheduled_run_time.astimezone(UTC))),
        EVENT_JOB_EXECUTED,
    )
    timer = threading.Timer((first - datetime.now(UTC)).total_seconds() + seconds + SETTLE,
                            system.stop)  # fmt: skip
    timer.daemon = True
    timer.start()
    error = None
    try:
        system.run(planned)
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    lags = sorted(_lags(ran, owed))
    outcomes = Counter(
        entry.outcome for entry in system.history() if (entry.job, _utc(entry.slot)) in owed
    )
    return {
        "owed": len(owed),
        "ran": len(lags),
        "p50": _quantile(lags, 0.5),
        "p99": _quantile(lags, 0.99),
        "max": lags[-1] if lags else None,
        "outcomes": dict(outcomes),
        "untold": len(owed) - sum(outcomes.values()),
        "cpu": time.process_time(),
        "error": error,
    }


def _lags(ran: list[tuple[str, datetime]], owed: set[tuple[str, datetime]]) -> list[float]:
    starts = notes.by_job()
    slots: dict[str, list[datetime]] = {}
    for id, slot in ran:
        slots.setdefault(id, []).append(slot)
    return [
        at - slot.timestamp()
        for number, times in starts.items()
        for slot, at in zip(slots.get(f"job-{number}", []), times, strict=False)
        if (f"job-{number}", slot) in owed
    ]


def _quantile(ordered: list[float], q: float) -> float | None:
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)] if ordered else None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
