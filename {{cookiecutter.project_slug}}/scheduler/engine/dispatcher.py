"""Hand started runs to the executors, and keep their results until they are recorded."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from ..models.execution import Status
from .executors.protocol import Executor
from .executors.readahead import ReadAhead
from .executors.remote import RemoteExecutor
from .executors.runner import Result, Run
from .ledger.capacity import Capacity
from .ledger.publications import MAX_UNCLAIMED, Elsewhere
from .wakeup import Wakeup

logger = logging.getLogger("scheduler.dispatcher")


class Dispatcher:
    """Holds the runs of this process. Only ``deliver`` may be called by another thread."""

    def __init__(self, executors: Mapping[str, Executor], wakeup: Wakeup) -> None:
        self.executors = executors
        self.in_flight: dict[int, Run] = {}
        self._results: deque[Result] = deque()
        self._unrecorded: dict[int, Result] = {}
        self._warned: set[int] = set()
        self._read_ahead = ReadAhead()
        self._stalled: set[str] = set()
        self._wakeup = wakeup

    @property
    def remote(self) -> frozenset[str]:
        """Return the executors whose runs are published to workers."""
        aliases = self.executors.items()
        return frozenset(alias for alias, each in aliases if isinstance(each, RemoteExecutor))

    @property
    def publish_error(self) -> str:
        """Return why nothing can be published to the workers; empty while all is well."""
        errors = [getattr(self.executors[alias], "error", "") for alias in self.remote]
        return next(filter(None, errors), "")

    def broker_is_back(self) -> bool:
        """Return, once, whether a broker that was away takes messages again."""
        executors = (self.executors[alias] for alias in self.remote)
        backs = [each.is_back() for each in executors if isinstance(each, RemoteExecutor)]
        return any(backs)

    def capacity(
        self,
        elsewhere: Elsewhere,
        suspects: Collection[UUID] = (),
        ending: Collection[int] = (),
    ) -> Capacity:
        """Return the capacity for runs that may start now.

        Args:
            elsewhere: runs that are not in the hands of this process.
            suspects: jobs, by uid, of which only one may run at a time.
            ending: ids of runs whose outcome is written before those may start.
        """
        remote = self.remote
        places = {alias: max(MAX_UNCLAIMED - elsewhere.unclaimed[alias], 0) for alias in remote}
        for_one = self._for_one()
        return Capacity(
            self.free() | places,
            self.running(ending) + elsewhere.instances,
            self._ahead(for_one),
            lambda run: self._read_ahead.is_quick(run.func, for_one[run.executor]),
            suspects,
            remote,
        )

    def free(self) -> dict[str, int]:
        """Return the free slots of each executor; a run whose result arrived frees its slot."""
        busy = self._busy()
        return {
            alias: max(executor.slots - busy[alias], 0)
            for alias, executor in self.executors.items()
        }

    def workers(self) -> tuple[int, int]:
        """Return how many runs the executors can do at once, and how many they do."""
        slots = sum(executor.slots for executor in self.executors.values())
        return slots, slots - sum(self.free().values())

    def running(self, ending: Collection[int] = ()) -> Counter[UUID]:
        """Count the runs of each job, by uid, without those that are ending."""
        gone = frozenset(ending)
        return Counter(run.job_uid for id, run in self.in_flight.items() if id not in gone)

    def overdue(self, now: datetime) -> list[Run]:
        """Return the runs that have lasted longer than their ``warn_after``, each of them once."""
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
        """Give back to the queue the runs that still wait for a thread.

        Args:
            before: only those that have waited since before that time; None: all.
        """
        for alias, executor in self.executors.items():
            if executor.ahead and executor.take_back(before):
                self._stalled.add(alias)

    def submit(self, runs: list[Run]) -> None:
        """Hand over runs whose start is committed."""
        for run in runs:
            self.in_flight[run.id] = run
            try:
                self.executors[run.executor].submit(run)
            except Exception as error:  # no thread, no process: fails that run, not the turn
                logger.exception("Executor %r could not take a run", run.executor)
                self.deliver(_refused(run, error))

    def publish(self, runs: list[Run]) -> None:
        """Hand over runs whose publication is committed. Nothing waits for their results."""
        for run in runs:
            self.executors[run.executor].submit(run)

    def cancel(self, ids: list[int]) -> None:
        """Cancel these runs; an id that is not running here is ignored."""
        for id in ids:
            if (row := self.in_flight.get(id)) is not None:
                self.executors[row.executor].cancel(id)

    def output(self, id: int) -> str:
        """Return what a run that is in flight has printed until now; empty for any other."""
        if (run := self.in_flight.get(id)) is None:
            return ""
        return self.executors[run.executor].output(id)

    def end_bodies(self) -> None:
        """End the job functions that outlast the drain, as far as that is possible."""
        for executor in self.executors.values():
            executor.end_bodies()

    def deliver(self, result: Result) -> None:
        """Take a result, from any thread, and wake the loop."""
        self._results.append(result)
        self._wakeup.nudge()

    def unrecorded(self) -> list[Result]:
        """Return the results that the database does not have yet."""
        while self._results:
            result = self._results.popleft()
            self._unrecorded[result.id] = result
        return list(self._unrecorded.values())

    def recorded(self, results: list[Result]) -> None:
        """Forget these runs: the database has their results."""
        for result in results:
            del self._unrecorded[result.id]
            run = self.in_flight.pop(result.id)
            self._warned.discard(result.id)
            if result.status is not Status.QUEUED:
                self._read_ahead.observe(run, result)
                self._stalled.discard(run.executor)

    def _busy(self) -> Counter[str]:
        return Counter(
            run.executor for id, run in self.in_flight.items() if id not in self._unrecorded
        )

    def _for_one(self) -> dict[str, int]:
        """Return, by executor, how many runs of what it runs count as one in the read-ahead."""
        funcs: dict[str, set[str]] = {alias: set() for alias in self.executors}
        for id, run in self.in_flight.items():
            if id not in self._unrecorded:
                funcs[run.executor].add(run.func)
        return {alias: self._read_ahead.for_one(each) for alias, each in funcs.items()}

    def _ahead(self, for_one: Mapping[str, int]) -> dict[str, int]:
        """Return how many runs may wait for a thread, where only quick functions run."""
        busy = self._busy()
        slow = {
            run.executor
            for id, run in self.in_flight.items()
            if id not in self._unrecorded and not self._read_ahead.is_quick(run.func)
        }
        return {
            alias: max(executor.ahead * for_one[alias] - max(busy[alias] - executor.slots, 0), 0)
            for alias, executor in self.executors.items()
            if alias not in slow | self._stalled
        }


def _refused(run: Run, error: Exception) -> Result:
    reason = f"its executor could not take it: {type(error).__name__}: {error}"
    return Result(run.id, Status.FAILED, run.started_at, run.started_at, reason=reason)
