"""What the engine asks of an executor. Threads and worker processes are its two kinds here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, runtime_checkable

from .runner import Result, Run

Deliver = Callable[[Result], None]
"""Takes a result from any thread and wakes the loop."""


@runtime_checkable
class Executor(Protocol):
    """Runs job functions. Called by the loop's thread only, and never blocks it.

    ``submit`` promises one result for each run, by ``deliver`` and from any thread, whatever
    becomes of the job function; ``queued`` is the status of a run that was not started after all.
    """

    slots: int
    """How many runs it executes at the same time. The ledger starts no more than are free."""
    ahead: int
    """How many runs of quick functions may be submitted beyond the slots."""

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """Set where results go, whether a term may still start runs, and the cluster's clock."""

    def submit(self, run: Run) -> None:
        """Start the run, or raise: then no result follows."""

    def take_back(self, before: datetime | None) -> int:
        """Give back the runs that were started before that time (None: ever) and have not begun.

        Returns:
            How many there were.
        """

    def keep_alive(self, until: float) -> None:
        """Allow runs to go on until that moment of ``db.clock.monotonic``."""

    def output(self, id: int) -> str:
        """Return what a run that has not ended has printed and logged until now."""

    def cancel(self, id: int) -> None:
        """End the run where that is possible, else ask it to end."""

    def end_bodies(self) -> None:
        """End what outlasts the drain, as far as possible, and return when it has ended."""

    def shutdown(self, wait: bool = True) -> None:
        """Take no more runs. Does not wait for running ones: the drain does."""
