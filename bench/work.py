"""The job that every system runs: it notes when it began, and ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Notes:
    """When bodies began (``time.time()``), by job. Appending needs no lock."""

    starts: list[tuple[int, float]] = field(default_factory=list)

    def by_job(self) -> dict[int, list[float]]:
        jobs: dict[int, list[float]] = {}
        for number, at in self.starts:
            jobs.setdefault(number, []).append(at)
        return jobs


notes = Notes()


def body(number: int) -> None:
    notes.starts.append((number, time.time()))


@dataclass(frozen=True)
class Planned:
    """One job of a load: first due at ``first``, then each ``every``."""

    number: int
    first: datetime
    every: timedelta

    @property
    def id(self) -> str:
        return f"job-{self.number}"

    def slots(self, count: int) -> list[datetime]:
        return [self.first + n * self.every for n in range(count)]

    def arguments(self) -> dict[str, object]:
        """Return what all systems give to ``add_job``: the call is APScheduler's everywhere."""
        return {
            "func": body,
            "trigger": "interval",
            "seconds": self.every.total_seconds(),
            "start_date": self.first,
            "args": [self.number],
            "id": self.id,
        }


def noop() -> None:
    """Do nothing: what a scheduler in a process of its own runs."""
