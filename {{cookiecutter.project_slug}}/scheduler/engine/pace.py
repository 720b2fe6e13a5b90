"""Which functions are quick: their runs may wait, already started, for a thread that is about to
be free.

**Why at all.** With ten threads, ten runs start with each commit, and a commit costs as much as
many short bodies. **Why it is safe.** Nothing runs twice: a run that waits is a started one whose
body is about to be called, as each is between its commit and its thread. What it costs: if the
process is killed in that moment, the run is lost, although its body was never called. So it is
allowed only to functions whose runs take a few milliseconds, to a few runs for each thread, and
for a tenth of a second: what has not begun by then goes back to the queue.
"""

from __future__ import annotations

from datetime import timedelta

from .runner import Result, Run

QUICK = 0.005
"""Mean duration, in seconds, up to which a function is quick."""
AHEAD = 4
"""Most runs that wait for each thread."""
PATIENCE = timedelta(seconds=0.1)
"""How long one waits before it goes back to the queue."""
WEIGHT = 0.2
"""Of the newest duration in the mean."""


class Pace:
    """A moving mean for each function."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}

    def note(self, run: Run, result: Result) -> None:
        if result.started_at is None or result.finished_at is None:
            return
        seconds = (result.finished_at - result.started_at).total_seconds()
        mean = self._means.get(run.func, seconds)
        self._means[run.func] = mean + WEIGHT * (seconds - mean)

    def is_quick(self, func: str) -> bool:
        """Of a function that has not run here yet, nothing is known."""
        return self._means.get(func, QUICK) < QUICK
