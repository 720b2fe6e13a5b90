"""Read-ahead: start runs of quick functions before a thread is free for them.

**Why.** With ten threads, ten runs start with each commit, and a commit costs as much as many
short job functions. **Why it is safe.** Nothing runs twice: a run that waits is a started one whose
function is about to be called, as each is between its commit and its thread. **What it costs.** If
the process is killed in that moment, the run is lost although its function was never called. So
only functions that take a few milliseconds are read ahead, no more of them than a thread does in
twenty, and for a tenth of a second: what has not begun by then goes back to the queue.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from .runner import Result, Run

MAX_QUICK_SECONDS = 0.005
"""Mean duration, in seconds, below which a function is quick."""
RUNS_AHEAD_PER_THREAD = 4
"""However long they take, as long as they are quick: a thread is done with them in 20 ms."""
MOST_FOR_ONE = 5
"""As many runs of a quicker function that take no longer stand in for each of these, at most."""
MAX_AHEAD_WAIT = timedelta(seconds=0.1)
"""How long a started run waits for a thread before it goes back to the queue."""
NEWEST_WEIGHT = 0.2
"""Weight of the newest duration in the moving mean."""


class ReadAhead:
    """Keeps a moving mean of the duration of each function."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}

    def observe(self, run: Run, result: Result) -> None:
        """Add the duration of a run that ended."""
        if result.started_at is None or result.finished_at is None:
            return
        seconds = (result.finished_at - result.started_at).total_seconds()
        mean = self._means.get(run.func, seconds)
        self._means[run.func] = mean + NEWEST_WEIGHT * (seconds - mean)

    def for_one(self, funcs: Collection[str]) -> int:
        """Return how many runs of these functions take no longer than one that is just quick.

        One, where nothing runs that would tell.
        """
        slowest = max(map(self._mean, funcs), default=MAX_QUICK_SECONDS)
        return next((n for n in range(MOST_FOR_ONE, 1, -1) if n * slowest < MAX_QUICK_SECONDS), 1)

    def is_quick(self, func: str, for_one: int = 1) -> bool:
        """Return whether the function is quick; one that has not run here yet is not.

        Args:
            for_one: so many runs of it together.
        """
        return for_one * self._mean(func) < MAX_QUICK_SECONDS

    def _mean(self, func: str) -> float:
        return self._means.get(func, MAX_QUICK_SECONDS)
