"""Bodies in processes of their own: a hard timeout, a hard cancel, no shared interpreter.

The pool is Pebble's, whose point over the standard library's is that a running task can be ended.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pebble.pool.process
from pebble import CONSTS, ProcessExpired, ProcessPool

from ..models.execution import Status
from .clock import ClusterClock, monotonic
from .executors import ThreadExecutor
from .runner import Result, Run, run
from .worker import prepare

logger = logging.getLogger("scheduler.processes")

CONSTS.term_timeout = 0  # workers ignore SIGTERM, so that a dyno's TERM to all leaves them be
# It measures timeouts on the wall clock: set forward, that would end every body that has one.
pebble.pool.process.time = SimpleNamespace(  # type: ignore[assignment]
    time=monotonic, sleep=time.sleep
)


class ProcessExecutor(ThreadExecutor):
    """``executor="processes"``: started with the first run that wants it.

    Nothing outlives the scheduler: a worker ends with its parent (``PR_SET_PDEATHSIG``), and ends
    itself when the parent no longer renews its sign of life, for a frozen parent's runs are
    declared lost and may be started elsewhere.
    """

    def __init__(self, slots: int = 2) -> None:
        super().__init__(slots)
        self.ahead = 0  # Pebble starts them; what it holds cannot be taken back
        self._context = multiprocessing.get_context("spawn")
        self._alive_until: Any = self._context.RawValue("d", 0.0)  # one writer: no lock
        self._pool: ProcessPool | None = None
        self._futures: dict[int, Future[Any]] = {}
        self._says_how_runs_ended = True

    def submit(self, run: Run) -> None:
        task = (run.id, run.job_id, run.scheduled_run_time, run.attempt, run.term, run.func,
                run.args, run.kwargs)  # fmt: skip
        began = self._now()
        arguments = (task, self._trusted_until(run.term), began, monotonic())
        future = self._schedule(_body, arguments, run.timeout)
        self._futures[run.id] = future
        future.add_done_callback(lambda done: self._ended(run, began, done))

    def keep_alive(self, until: float) -> None:
        """Move on the moment (monotonic) after which workers end themselves."""
        self._alive_until.value = until
        if self._pool is not None and not self._pool.active:
            self._give_up_pool()

    def cancel(self, id: int) -> None:
        """End the process that runs the body."""
        if (future := self._futures.get(id)) is not None:
            future.cancel()

    def end_bodies(self) -> None:
        """Kill them, and return when they are dead; what became of them is the caller's to say."""
        if self._pool is not None and self._futures:
            self._says_how_runs_ended = False
            self._pool.stop()
            self._pool.join()

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)
        if self._pool is not None:
            self._pool.stop()

    def _trusted_until(self, term: int) -> float:
        """A worker cannot ask the lease; the clock of this boot is the same in both."""
        return self._alive_until.value if self._trusted(term) else 0.0

    def _schedule(self, body: Callable[..., Any], arguments: Any, timeout: float | None) -> Any:
        """A pool that broke is replaced, once for each call."""
        if self._pool is not None and not self._pool.active:
            self._give_up_pool()
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self.slots,
                initializer=prepare,
                initargs=(os.getpid(), self._alive_until),
                context=self._context,
            )
        return self._pool.schedule(body, args=arguments, timeout=timeout)

    def _give_up_pool(self) -> None:
        """One of its threads died: nobody else would ever tell how its runs ended."""
        broken, self._pool = self._pool, None
        assert broken is not None
        broken.stop()
        broken.join()
        for future in list(self._futures.values()):
            with suppress(InvalidStateError):
                future.set_exception(BrokenProcessPool("its pool broke"))

    def _ended(self, run: Run, began: datetime, future: Future[Any]) -> None:
        """Called by one of the pool's threads."""
        self._futures.pop(run.id, None)
        gone = Result(run.id, Status.LOST, began, self._now())
        try:
            result = future.result()
        except CancelledError:
            result = replace(gone, status=Status.CANCELLED, reason="its process was ended")
        except TimeoutError:
            reason = f"its process was ended after its timeout of {run.timeout:g} s"
            result = replace(gone, status=Status.TIMED_OUT, reason=reason)
        except ProcessExpired as expired:
            result = replace(gone, reason=f"its worker process died (exit code {expired.exitcode})")
        except BaseException as error:
            if not self._says_how_runs_ended:
                return
            result = replace(gone, reason=f"its worker process failed: {type(error).__name__}")
        self._deliver(result)


def _body(task: tuple[Any, ...], trusted_until: float, began: datetime, at: float) -> Result:
    """In a worker: what ``ThreadExecutor._body`` is in a thread."""
    if monotonic() >= trusted_until:
        return Result(task[0], Status.QUEUED)
    clock = ClusterClock()
    clock.set(began, at)
    result = run(Run(*task), clock.now)
    # Exceptions and values of a project may refuse to be pickled; their text is in the result.
    result.error = result.value = None
    return result
