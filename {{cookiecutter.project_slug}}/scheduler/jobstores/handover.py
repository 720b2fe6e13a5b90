"""Runs that the ledger started, on their way through a stock scheduler's own executors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.job import Job as APSchedulerJob
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from .. import serialization
from ..definitions import references
from ..engine.executors.runner import Result, Run, clean, dump_result
from ..engine.executors.threads import ThreadExecutor
from ..models.execution import Status

UNKNOWN_SLOTS = 100
"""How many runs an executor takes at once whose size cannot be read."""


class HandedJob(APSchedulerJob):
    """One started run in the form that a stock scheduler submits. It has no row to update."""

    __slots__ = ("at", "run_id")

    at: datetime
    run_id: int

    def __reduce__(self) -> tuple[Any, ...]:
        state: Any = self.__getstate__()
        return object.__new__, (APSchedulerJob,), {**state, "trigger": DateTrigger(self.at)}

    def _get_run_times(self, now: datetime) -> list[datetime]:
        return [self.at]


class NeverDue(BaseTrigger):
    """A trigger that keeps the stock loop from taking the job for finished, and removing it."""

    def __str__(self) -> str:
        return "claimed"

    def get_next_fire_time(self, previous_fire_time: Any, now: datetime) -> datetime:
        return now + timedelta(days=1)


class HandoverExecutor(ThreadExecutor):
    """A stock executor as the ledger sees it: it has slots, and takes runs.

    ``submit`` only hands over: the stock scheduler submits in its own thread, whatever kind of
    loop it has. In worker processes, which need not have Django set up, nothing surrounds the
    body; there the outcome comes from APScheduler's events.
    """

    def __init__(self, alias: str, stock: Any, scheduler: Any, store_alias: str) -> None:
        super().__init__(_slots(stock))
        self.ahead = 0
        self.alias = alias
        self.stock = stock
        self.handed: deque[HandedJob] = deque()
        self.offered: dict[int, HandedJob] = {}
        self._scheduler = scheduler
        self._store_alias = store_alias
        self._elsewhere = isinstance(stock, ProcessPoolExecutor)
        self._jobs: dict[int, HandedJob] = {}
        if self._elsewhere:
            self._hear_of_dead_workers(stock)

    def submit(self, run: Run) -> None:
        """Offer the run to the stock scheduler; see ``Executor.submit``."""
        job = self._job(run)
        self._runs[run.id], self._jobs[run.id] = run, job
        self._waiting[run.id] = run
        self.handed.append(job)
        self._scheduler.wakeup()

    def take(self) -> list[HandedJob]:
        """Return the runs that the stock scheduler is to submit now."""
        taken = [self.handed.popleft() for _ in range(len(self.handed))]
        self.offered.update({job.run_id: job for job in taken})
        return taken

    def submitted(self, job_id: str, at: datetime) -> None:
        """Note that the stock scheduler submitted one of them."""
        for run_id, job in list(self.offered.items()):
            if (job.id, job.at) == (job_id, at):
                self.offered.pop(run_id, None)

    def refuse_offered(self, status: Status, reason: str = "") -> None:
        """End the runs that were taken, but not submitted and not begun, with this status."""
        for run_id in list(self.offered):
            self.offered.pop(run_id, None)
            self._refuse(run_id, status, reason)

    def give_back(self) -> None:
        """Give what has not begun back to the queue: nothing is submitted any more."""
        while self.handed:
            self._refuse(self.handed.popleft().run_id, Status.QUEUED, "")
        if not self._elsewhere:  # over there it may have begun
            self.refuse_offered(Status.QUEUED)

    def ended(self, event: Any) -> None:
        """Take the outcome from an APScheduler event, for job functions in worker processes."""
        for job in list(self._jobs.values()) if self._elsewhere else ():
            if (job.id, job.at) == (event.job_id, event.scheduled_run_time):
                self._end(_result(job.run_id, event, self._now()))

    def _job(self, run: Run) -> HandedJob:
        job = HandedJob.__new__(HandedJob)
        job.run_id, job.at = run.id, run.scheduled_run_time or self._now()
        job.id, job.name, job.func_ref = run.job_id, run.job_id, run.func
        job.func = references.resolve(run.func) if self._elsewhere else self._surrounded(run)
        job.args = serialization.loads_args(run.args)
        job.kwargs = serialization.loads_kwargs(run.kwargs)
        job.trigger, job.executor, job.next_run_time = NeverDue(), self.alias, job.at
        # The ledger has judged these, for all processes.
        job.misfire_grace_time, job.coalesce, job.max_instances = None, False, 1_000_000
        job._scheduler, job._jobstore_alias = self._scheduler, self._store_alias
        return job

    def _surrounded(self, run: Run) -> Callable[..., Any]:
        def body(*args: Any, **kwargs: Any) -> Any:
            if self._waiting.pop(run.id, None) is None:
                return None
            result = self._body(run)
            self._end(result)
            if result.error is not None:
                raise result.error
            return result.value

        return body

    def _hear_of_dead_workers(self, stock: Any) -> None:
        """Note when a worker process dies: APScheduler tells nobody, it only logs, here."""
        logs = stock._run_job_error

        def failed(job_id: str, error: BaseException, traceback: Any = None) -> None:
            logs(job_id, error, traceback)
            for run in [run for run in self._runs.values() if run.job_id == job_id]:
                reason = f"its worker process failed: {type(error).__name__}: {error}"
                self._end(Result(run.id, Status.LOST, finished_at=self._now(), reason=reason))

        stock._run_job_error = failed

    def _refuse(self, run_id: int, status: Status, reason: str) -> None:
        if self._waiting.pop(run_id, None) is not None:
            self._end(Result(run_id, status, finished_at=self._now(), reason=reason))

    def _end(self, result: Result) -> None:
        self._waiting.pop(result.id, None)
        self._jobs.pop(result.id, None)
        if self._runs.pop(result.id, None) is not None:
            self._deliver(result)


def _result(run_id: int, event: Any, now: datetime) -> Result:
    error = event.exception
    return Result(
        run_id,
        Status.FAILED if error else Status.SUCCEEDED,
        finished_at=now,
        exception=clean(f"{type(error).__name__}: {error}") if error else "",
        traceback=clean(event.traceback or ""),
        return_value="" if error else dump_result(event.retval),
        error=error,
        value=event.retval,
    )


def _slots(stock: Any) -> int:
    return getattr(getattr(stock, "_pool", None), "_max_workers", None) or UNKNOWN_SLOTS
