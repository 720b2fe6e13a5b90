"""Where bodies run. An executor has ``slots``; the ledger starts no more rows than are free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job

from ..models.execution import Status
from .pace import AHEAD
from .runner import Result, Run, run

Deliver = Callable[[Result], None]
"""Takes a result from any thread and wakes the loop."""


class ThreadExecutor(BaseExecutor):
    """Daemon threads in the scheduler's process, started when first needed.

    They share the loop's interpreter: a body that holds the GIL for seconds delays the renewal of
    the lease. That is safe (see ``Lease.trusted``) but may cost a change of leader; such jobs
    belong to ``executor="processes"``. Daemon, so that a body which outlasts the drain cannot
    keep the process from ending.
    """

    def __init__(self, slots: int = 10) -> None:
        super().__init__()
        self.slots = slots
        self.ahead = AHEAD * slots
        """Most runs of quick functions that wait for a thread."""
        self._runs: dict[int, Run] = {}
        # Not begun. Whoever takes a run out of here, its body or its refusal, decides about it.
        self._waiting: dict[int, Run] = {}
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """Tell where results go, whether a body may still start, and the cluster's time."""
        self._deliver, self._trusted, self._now = deliver, trusted, now

    def submit(self, run: Run) -> None:
        """Start the body, and deliver exactly one result for it."""
        self._runs[run.id] = self._waiting[run.id] = run
        try:
            self._put(lambda: self._begin(run))
        except Exception:
            if self._waiting.pop(run.id, None) is not None:  # else another thread has begun it
                self._runs.pop(run.id, None)
                raise

    def take_back(self, before: datetime | None) -> int:
        """What was started before that time (None: at any) and has not begun is given back.

        Returns:
            How many there were.
        """
        waiting = list(self._waiting.items())
        late = [
            id
            for id, held in waiting
            if before is None or (held.started_at is not None and held.started_at < before)
        ]
        taken = [id for id in late if self._waiting.pop(id, None) is not None]
        for id in taken:
            self._runs.pop(id, None)
            self._deliver(Result(id, Status.QUEUED))
        return len(taken)

    def keep_alive(self, until: float) -> None:
        """Threads live and freeze with the loop: there is nothing to tell them."""

    def cancel(self, id: int) -> None:
        """Tell the body (``current_run().cancel_requested``): a thread cannot be stopped."""
        if (found := self._runs.get(id)) is not None:
            found.cancel_requested = True

    def end_bodies(self) -> None:
        """At the end of a drain: what can be ended, is. Threads end with their process."""

    def shutdown(self, wait: bool = True) -> None:
        """Take no more; does not wait for bodies: the drain does that."""
        for _ in self._threads:
            self._queue.put(None)
        self._threads = []

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        """APScheduler's own way, for jobs of another job store."""

        def work() -> None:
            try:
                events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            except BaseException as error:
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, events)

        self._put(work)

    def _put(self, work: Callable[[], None]) -> None:
        if len(self._threads) < self.slots:
            name = f"job-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            thread.start()  # may raise: before the work is in the queue
            self._threads.append(thread)
        self._queue.put(work)

    def _serve(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def _begin(self, run: Run) -> None:
        # Not ``run``: that one may have been taken back, and started again under the same id.
        if (held := self._waiting.pop(run.id, None)) is not None:
            self._work(held)

    def _work(self, run: Run) -> None:
        result = self._body(run)
        self._runs.pop(run.id, None)
        self._deliver(result)

    def _body(self, taken: Run) -> Result:
        if taken.cancel_requested:
            reason = "cancelled before it started"
            return Result(taken.id, Status.CANCELLED, finished_at=self._now(), reason=reason)
        if not self._trusted(taken.term):
            # The leader froze, or lost the lease, between the commit and this moment; a successor
            # may exist. The row goes back to the queue and whoever leads starts it.
            return Result(taken.id, Status.QUEUED)
        return run(taken, self._now)
