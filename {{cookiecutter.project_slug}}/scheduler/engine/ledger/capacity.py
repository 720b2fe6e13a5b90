"""How much may start now: free slots of executors, places ahead of them, instances of jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from ..executors.runner import Run


class Capacity:
    """Counts the places for runs, which are filled one by one in the order of the queue."""

    def __init__(
        self,
        free: Mapping[str, int],
        running: Mapping[UUID, int],
        ahead: Mapping[str, int] | None = None,
        is_quick: Callable[[Run], bool] = lambda run: False,
        suspects: Collection[UUID] = (),
        remote: Collection[str] = (),
    ) -> None:
        """Begin with what is free, less what runs.

        Args:
            free: free slots of each executor.
            running: runs of each job on this and other living nodes, or published to workers.
                Only a leader starts and publishes, so what of it is stale can only be too high.
            ahead: how many runs each executor takes beyond its slots (see ``executors.readahead``).
            is_quick: whether a run's function is quick: only such ones are read ahead.
            suspects: jobs that may have ended a scheduler process; they run one at a time.
            remote: executors whose runs are published instead of started.
        """
        self._free = Counter(free)
        self._ahead = Counter(ahead or {})
        self._running = Counter(running)
        self._is_quick = is_quick
        self._suspects = frozenset(suspects)
        self.remote = frozenset(remote)
        self.blocked: set[UUID] = set()
        """Jobs that were refused because all their instances run, or another suspect does."""
        self.is_full = False
        """Whether a run was refused for want of a place."""

    @property
    def size(self) -> int:
        """Return the largest number of runs that may still start."""
        return sum(self._free.values()) + sum(self._ahead.values())

    def places(self, executor: str) -> int:
        """Return the largest number of runs that may still start in this executor."""
        return self._free[executor] + self._ahead[executor]

    @property
    def executors(self) -> tuple[str, ...]:
        """Return the aliases of the executors that can take more runs, sorted."""
        return tuple(sorted((+self._free + self._ahead).keys()))

    def admit(self, run: Run) -> bool:
        """Take a place for the run, and return whether there was one."""
        if self._running[run.job_uid] >= run.max_instances or self._is_kept_apart(run):
            self.blocked.add(run.job_uid)
            return False
        if self._free[run.executor] > 0:
            self._free[run.executor] -= 1
        elif self._ahead[run.executor] > 0 and self._is_quick(run):
            self._ahead[run.executor] -= 1
        else:
            self._ahead[run.executor] = 0  # nobody overtakes it
            self.is_full = True
            return False
        self._running[run.job_uid] += 1
        return True

    def _is_kept_apart(self, run: Run) -> bool:
        return run.job_uid in self._suspects and any(map(self._running.get, self._suspects))
