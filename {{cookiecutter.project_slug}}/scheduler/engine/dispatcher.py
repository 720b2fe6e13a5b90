"""Between the loop and the executors: started rows go out, results come back."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from ..models import Execution
from ..models.execution import Status
from .executors import ThreadExecutor
from .runner import Result, Run
from .wakeup import Wakeup

logger = logging.getLogger("scheduler.dispatcher")


class Dispatcher:
    """Knows what this process is running. Only ``deliver`` may be called by another thread."""

    def __init__(self, executors: Mapping[str, ThreadExecutor], wakeup: Wakeup) -> None:
        self.executors = executors
        self.in_flight: dict[int, Execution] = {}
        self._results: deque[Result] = deque()
        self._unrecorded: dict[int, Result] = {}
        self._warned: set[int] = set()
        self._wakeup = wakeup

    def free(self) -> dict[str, int]:
        """Free slots of each executor. A result that waits for the database frees its slot."""
        busy = Counter(
            row.executor for id, row in self.in_flight.items() if id not in self._unrecorded
        )
        return {
            alias: max(executor.slots - busy[alias], 0)
            for alias, executor in self.executors.items()
        }

    def running(self) -> Counter[UUID]:
        """Runs of each job, by uid."""
        return Counter(row.job_uid for row in self.in_flight.values())

    def overdue(self, now: datetime) -> list[Execution]:
        """Runs that have lasted longer than their ``warn_after``, each named once."""
        late = [
            row
            for id, row in self.in_flight.items()
            if row.warn_after is not None
            and row.started_at is not None
            and id not in self._warned
            and now - row.started_at > timedelta(seconds=row.warn_after)
        ]
        self._warned.update(row.id for row in late)
        return late

    def submit(self, rows: list[Execution]) -> None:
        """Hand over rows whose start is committed."""
        for row in rows:
            self.in_flight[row.id] = row
            try:
                self.executors[row.executor].submit(_run(row))
            except Exception as error:  # no thread, no process: one run's trouble, not the turn's
                logger.exception("Executor %r could not take a run", row.executor)
                self.deliver(_refused(row, error))

    def cancel(self, ids: list[int]) -> None:
        for id in ids:
            if (row := self.in_flight.get(id)) is not None:
                self.executors[row.executor].cancel(id)

    def deliver(self, result: Result) -> None:
        """Called by a worker thread."""
        self._results.append(result)
        self._wakeup.set()

    def unrecorded(self) -> list[Result]:
        """Results that the database does not have yet: they are kept until it has them."""
        while self._results:
            result = self._results.popleft()
            self._unrecorded[result.id] = result
        return list(self._unrecorded.values())

    def recorded(self, results: list[Result]) -> None:
        for result in results:
            del self._unrecorded[result.id]
            del self.in_flight[result.id]
            self._warned.discard(result.id)


def _refused(row: Execution, error: Exception) -> Result:
    reason = f"its executor could not take it: {type(error).__name__}: {error}"
    return Result(row.id, Status.FAILED, row.started_at, row.started_at, reason=reason)


def _run(row: Execution) -> Run:
    return Run(
        id=row.id,
        job_id=row.job_id,
        scheduled_run_time=row.scheduled_run_time,
        attempt=row.attempt,
        term=row.term or 0,
        func=row.func,
        args=row.args,
        kwargs=row.kwargs,
        timeout=row.timeout,
    )
