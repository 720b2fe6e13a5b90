"""Time that tests move: the machine's monotonic clock, and the database's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from scheduler.db.clock import DbNow


class Monotonic:
    """Stands where ``engine.clock`` finds ``time``. What passes really, passes here too."""

    CLOCK_MONOTONIC = time.CLOCK_MONOTONIC

    def __init__(self) -> None:
        self.ahead = 0.0

    def clock_gettime(self, clock: int) -> float:
        return time.clock_gettime(clock) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += seconds


class DatabaseClock:
    """Stands still until somebody moves it."""

    def set(self, at: datetime) -> datetime:
        DbNow.frozen = at
        return at

    def now(self) -> datetime:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
        return DbNow.frozen or self.set(soon)

    def move(self, seconds: float) -> datetime:
        return self.set(self.now() + timedelta(seconds=seconds))

    def release(self) -> None:
        DbNow.frozen = None
