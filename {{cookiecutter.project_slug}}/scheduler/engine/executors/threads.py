"""Run job functions in threads of the scheduler's process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import Any

from apscheduler.executors.base import BaseExecutor

from ...conf import conf
from ...masking import SecretTexts
from ...models.execution import Status
from .capture import Capture
from .foreign import run_foreign
from .protocol import Deliver
from .readahead import RUNS_AHEAD_PER_THREAD
from .runner import Result, Run, clean, run
from .surroundings import shared_home

logger = logging.getLogger("scheduler.threads")


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
        self.ahead = RUNS_AHEAD_PER_THREAD * slots
        self._runs: dict[int, Run] = {}
        # Runs that have not begun. The thread and take_back() race for each: who pops it owns it.
        self._waiting: dict[int, Run] = {}
        self._captures: dict[int, Capture] = {}
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """See ``Executor.connect``."""
        self._deliver, self._trusted, self._now = deliver, trusted, now
        self._home = shared_home()

    def submit(self, run: Run) -> None:
        """Queue the run for a thread; see ``Executor.submit``."""
        self._runs[run.id] = self._waiting[run.id] = run
        try:
            self._put(partial(self._begin, run))
        except Exception:
            if self._waiting.pop(run.id, None) is not None:  # else another thread has begun it
                self._runs.pop(run.id, None)
                raise

    def take_back(self, before: datetime | None) -> int:
        """See ``Executor.take_back``."""
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
        """Do nothing: threads live and freeze with the loop."""

    def output(self, id: int) -> str:
        """See ``Executor.output``."""
        return clean(capture.text()) if (capture := self._captures.get(id)) else ""

    def cancel(self, id: int) -> None:
        """Set ``current_run().cancel_requested``: a thread cannot be ended from outside."""
        if (found := self._runs.get(id)) is not None:
            found.cancel_requested = True

    def end_bodies(self) -> None:
        """Do nothing: threads end with their process."""

    def shutdown(self, wait: bool = True) -> None:
        """End each thread after its run, without waiting: the drain does."""
        for _ in self._threads:
            self._queue.put(None)
        self._threads = []

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        """Run a job of another job store as APScheduler's pool does."""
        self._put(lambda: run_foreign(self, job, run_times))

    def _put(self, work: Callable[[], None]) -> None:
        if len(self._threads) < self.slots:
            name = f"job-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            thread.start()  # may raise: before the work is in the queue
            self._threads.append(thread)
        self._queue.put(work)

    def _serve(self) -> None:
        while True:
            try:
                if (work := self._queue.get()) is None:
                    return
                work()
            except BaseException:
                # A timer of a job function has thrown it into this thread, too late for the
                # function. What was taken from the queue may be lost with it; whoever comes first
                # begins a run that waits.
                logger.exception("Thrown into a thread between two job functions")
                for run in list(self._waiting.values()):
                    self._queue.put(partial(self._begin, run))

    def _begin(self, run: Run) -> None:
        # Not ``run``: that one may have been taken back, and started again under the same id.
        if (held := self._waiting.pop(run.id, None)) is None:
            return
        try:
            with self._home:
                result = self._body(held)
        except BaseException as error:
            result = Result(held.id, Status.FAILED, held.started_at, self._now())
            result.reason = f"thrown into its thread after it ended: {type(error).__name__}"
        self._end(result)

    def _end(self, result: Result) -> None:
        self._runs.pop(result.id, None)
        self._deliver(result)

    def _body(self, taken: Run) -> Result:
        if taken.cancel_requested:
            reason = "cancelled before it started"
            return Result(taken.id, Status.CANCELLED, finished_at=self._now(), reason=reason)
        if not self._trusted(taken.term):
            # The leader froze, or lost the lease, between the commit and this moment; a successor
            # may exist. The row goes back to the queue and whoever leads starts it.
            return Result(taken.id, Status.QUEUED)
        capture = Capture(conf().MAX_LOG_CHARS, SecretTexts(taken))
        self._captures[taken.id] = capture
        try:
            return run(taken, self._now, capture)
        finally:
            self._captures.pop(taken.id, None)
