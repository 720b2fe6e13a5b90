"""How much may start now: free slots of executors, places ahead of them, instances of jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from uuid import UUID

from .runner import Run


class Room:
    """Filled run by run, in the order of the queue."""

    def __init__(
        self,
        free: Mapping[str, int],
        running: Mapping[UUID, int],
        ahead: Mapping[str, int] | None = None,
        is_quick: Callable[[str], bool] = lambda func: False,
    ) -> None:
        """Args:
        free: free slots of each executor.
        running: runs of each job on this and other living nodes. Only a leader starts runs, so
            the part of it that is stale can only be too high.
        ahead: how many runs each executor takes beyond its slots (see ``pace``) ...
        is_quick: ... of functions of which this says so.
        """
        self._free = Counter(free)
        self._ahead = Counter(ahead or {})
        self._running = Counter(running)
        self._is_quick = is_quick
        self.blocked: set[UUID] = set()
        """Jobs that were refused because all their instances run."""
        self.is_full = False
        """Whether a run was refused for want of a place."""

    @property
    def size(self) -> int:
        """How many runs it takes at most."""
        return sum(self._free.values()) + sum(self._ahead.values())

    @property
    def executors(self) -> tuple[str, ...]:
        """Those that take more."""
        return tuple(sorted((+self._free + self._ahead).keys()))

    def take(self, run: Run) -> bool:
        """Whether the run may start; it then fills its place."""
        if self._running[run.job_uid] >= run.max_instances:
            self.blocked.add(run.job_uid)
            return False
        if self._free[run.executor] > 0:
            self._free[run.executor] -= 1
        elif self._ahead[run.executor] > 0 and self._is_quick(run.func):
            self._ahead[run.executor] -= 1
        else:
            self._ahead[run.executor] = 0  # nobody overtakes it
            self.is_full = True
            return False
        self._running[run.job_uid] += 1
        return True
