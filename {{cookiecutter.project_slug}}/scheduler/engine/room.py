"""How much may start now: the free slots of each executor, and the instances of each job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from .runner import Run


class Room:
    """Filled run by run, in the order of the queue."""

    def __init__(self, free: Mapping[str, int], running: Mapping[UUID, int]) -> None:
        """Args:
        free: free slots of each executor.
        running: runs of each job on this and other living nodes. Only a leader starts runs, so
            the part of it that is stale can only be too high.
        """
        self._free = Counter(free)
        self._running = Counter(running)
        self.blocked: set[UUID] = set()
        """Jobs that were refused because all their instances run."""

    @property
    def size(self) -> int:
        """How many runs it takes at most."""
        return sum(self._free.values())

    @property
    def executors(self) -> tuple[str, ...]:
        """Those that take more."""
        return tuple(sorted(alias for alias, count in self._free.items() if count > 0))

    def take(self, run: Run) -> bool:
        """Whether the run may start; it then fills its place."""
        if self._free[run.executor] <= 0:
            return False
        if self._running[run.job_uid] >= run.max_instances:
            self.blocked.add(run.job_uid)
            return False
        self._free[run.executor] -= 1
        self._running[run.job_uid] += 1
        return True
