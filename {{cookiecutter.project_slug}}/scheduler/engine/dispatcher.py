"""Between the loop and the executors: started rows go out, results come back."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from ..models.execution import Status
from .executors import ThreadExecutor
from .pace import Pace
from .room import Room
from .runner import Result, Run
from .wakeup import Wakeup

logger = logging.getLogger("scheduler.dispatcher")


class Dispatcher:
    """Knows what this process is running. Only ``deliver`` may be called by another thread."""

    def __init__(self, executors: Mapping[str, ThreadExecutor], wakeup: Wakeup) -> None:
        self.executors = executors
        self.in_flight: dict[int, Run] = {}
        self._results: deque[Result] = deque()
        self._unrecorded: dict[int, Result] = {}
        self._warned: set[int] = set()
        self._pace = Pace()
        self._stalled: set[str] = set()
        self._wakeup = wakeup

    def room(self, elsewhere: Counter[UUID]) -> Room:
        """For what may start now; ``elsewhere`` are runs on other living nodes."""
        return Room(self.free(), self.running() + elsewhere, self._ahead(), self._pace.is_quick)

    def free(self) -> dict[str, int]:
        """Free slots of each executor. A result that waits for the database frees its slot."""
        busy = self._busy()
        return {
            alias: max(executor.slots - busy[alias], 0)
            for alias, executor in self.executors.items()
        }

    def running(self) -> Counter[UUID]:
        """Runs of each job, by uid."""
        return Counter(row.job_uid for row in self.in_flight.values())

    def overdue(self, now: datetime) -> list[Run]:
        """Runs that have lasted longer than their ``warn_after``, each named once."""
        late = [
            run
            for run in self.in_flight.values()
            if run.warn_after is not None
            and run.started_at is not None
            and run.id not in self._warned
            and now - run.started_at > timedelta(seconds=run.warn_after)
        ]
        self._warned.update(run.id for run in late)
        return late

    def take_back(self, before: datetime | None = None) -> None:
        """Runs that wait for a thread since before that time, or at all, go back to the queue."""
        for alias, executor in self.executors.items():
            if executor.ahead and executor.take_back(before):
                self._stalled.add(alias)

    def submit(self, runs: list[Run]) -> None:
        """Hand over runs whose start is committed."""
        for run in runs:
            self.in_flight[run.id] = run
            try:
                self.executors[run.executor].submit(run)
            except Exception as error:  # no thread, no process: one run's trouble, not the turn's
                logger.exception("Executor %r could not take a run", run.executor)
                self.deliver(_refused(run, error))

    def cancel(self, ids: list[int]) -> None:
        for id in ids:
            if (row := self.in_flight.get(id)) is not None:
                self.executors[row.executor].cancel(id)

    def end_bodies(self) -> None:
        """End what outlasts the drain, as far as that is possible."""
        for executor in self.executors.values():
            executor.end_bodies()

    def deliver(self, result: Result) -> None:
        """Called by a worker thread."""
        self._results.append(result)
        self._wakeup.nudge()

    def unrecorded(self) -> list[Result]:
        """Results that the database does not have yet: they are kept until it has them."""
        while self._results:
            result = self._results.popleft()
            self._unrecorded[result.id] = result
        return list(self._unrecorded.values())

    def recorded(self, results: list[Result]) -> None:
        for result in results:
            del self._unrecorded[result.id]
            run = self.in_flight.pop(result.id)
            self._warned.discard(result.id)
            if result.status is not Status.QUEUED:
                self._pace.note(run, result)
                self._stalled.discard(run.executor)

    def _busy(self) -> Counter[str]:
        return Counter(
            run.executor for id, run in self.in_flight.items() if id not in self._unrecorded
        )

    def _ahead(self) -> dict[str, int]:
        """Places ahead of the free slots, where nothing but quick functions runs."""
        busy = self._busy()
        slow = {
            run.executor for run in self.in_flight.values() if not self._pace.is_quick(run.func)
        }
        return {
            alias: executor.ahead - max(busy[alias] - executor.slots, 0)
            for alias, executor in self.executors.items()
            if alias not in slow | self._stalled
        }


def _refused(run: Run, error: Exception) -> Result:
    reason = f"its executor could not take it: {type(error).__name__}: {error}"
    return Result(run.id, Status.FAILED, run.started_at, run.started_at, reason=reason)
