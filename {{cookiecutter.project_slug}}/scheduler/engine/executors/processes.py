"""Run job functions in processes of their own: a hard timeout, a hard cancel, no shared state."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from apscheduler.executors.base import BaseExecutor

from ...conf import conf
from ...db.clock import monotonic
from ...masking import SecretTexts
from ...models.execution import Status
from .capture import Capture
from .foreign import run_foreign
from .forks import leave_to_parent
from .output import DONE, OUTPUT, READY
from .protocol import Deliver
from .runner import Result, Run, clean
from .surroundings import Home
from .tree import kill_tree
from .worker import serve

LOOK_INTERVAL = 1.0
"""Seconds after which a timeout is looked at again: a machine that slept wakes late."""

SENT = ("id", "job_id", "scheduled_run_time", "attempt", "term", "func", "args", "kwargs",
        "sensitive", "timeout")  # fmt: skip
"""The columns of a run that its process needs."""


class ProcessExecutor(BaseExecutor):
    """``executor="processes"``: each of its threads drives one worker process.

    Nothing outlives the scheduler: a worker ends with its parent (``PR_SET_PDEATHSIG``), and ends
    itself when the parent no longer renews its heartbeat, for a frozen parent's runs are declared
    lost and may be started elsewhere. Processes start with the first run that needs them.
    """

    ahead = 0

    def __init__(self, slots: int = 2) -> None:
        super().__init__()
        self.slots = slots
        self._context = multiprocessing.get_context("spawn")
        self._alive_until: Any = self._context.RawValue("d", 0.0)  # one writer: no lock
        self._queue: SimpleQueue[Callable[[WorkerThread], None] | None] = SimpleQueue()
        self._threads: list[WorkerThread] = []
        self._runs: dict[int, ProcessRun] = {}

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """See ``Executor.connect``."""
        self._deliver, self._trusted, self._now = deliver, trusted, now
        self._home = Home()  # not before: the variables of systemd have left the environment

    def submit(self, run: Run) -> None:
        """Queue the run for a worker process; see ``Executor.submit``."""
        held = self._runs[run.id] = ProcessRun(run)
        try:
            self._put(lambda thread: self._execute(held, thread))
        except Exception:
            self._runs.pop(run.id, None)
            raise

    def take_back(self, before: datetime | None) -> int:
        """Return 0: no more runs are submitted than there are processes, so none waits."""
        return 0

    def keep_alive(self, until: float) -> None:
        """Move on the moment after which workers end themselves."""
        self._alive_until.value = until

    def output(self, id: int) -> str:
        """See ``Executor.output``."""
        return held.output() if (held := self._runs.get(id)) else ""

    def cancel(self, id: int) -> None:
        """Kill the process of the run, with all that the run started."""
        if (held := self._runs.get(id)) is not None:
            held.end(Status.CANCELLED, "its process was ended")

    def end_bodies(self) -> None:
        """Kill the processes of all runs; what became of the runs is the caller's to say."""
        ended = list(self._runs.values())
        for held in ended:
            held.end(None, "")
        for held in ended:
            held.wait()

    def shutdown(self, wait: bool = True) -> None:
        """End each process after its run, without waiting: the drain does."""
        for _ in self._threads:
            self._queue.put(None)
        self._threads = []

    def _execute(self, held: ProcessRun, thread: WorkerThread) -> None:
        run = held.run
        try:
            result = self._result(held, thread)
        except Exception as error:  # no memory, no process: fails that run, not the executor
            thread.end_worker()
            reason = f"its executor could not take it: {type(error).__name__}: {error}"
            result = Result(run.id, Status.FAILED, run.started_at, self._now(), reason=reason)
        self._runs.pop(run.id, None)
        if result is not None:
            self._deliver(result)

    def _result(self, held: ProcessRun, thread: WorkerThread) -> Result | None:
        run, began, done = held.run, self._now(), None
        worker = thread.worker()
        held.begin(worker)
        if is_ready := worker.is_ready():
            # A worker cannot ask the lease; the clock of this boot is the same in both.
            trusted_until = self._alive_until.value if self._trusted(run.term) else 0.0
            columns = {name: getattr(run, name) for name in SENT}
            worker.send((columns, trusted_until, self._now(), monotonic()))
            done = self._converse(held, worker)
        status, reason = held.finish()
        if done is not None and status is Status.RUNNING:
            result, reusable = done
            if not reusable:
                thread.end_worker()
            return result
        worker.kill()  # if it died by itself, what it started lives on
        code = thread.end_worker()
        if status is None:
            return None
        if status is Status.RUNNING and not is_ready:
            raise OSError(f"its worker process could not start (exit code {code})")
        if status is Status.RUNNING:
            status, reason = Status.LOST, f"its worker process died (exit code {code})"
        return Result(run.id, status, began, self._now(), log=held.output(), reason=reason)

    def _converse(self, held: ProcessRun, worker: Worker) -> tuple[Result, bool] | None:
        """Take output until the run ends; None: its process ended instead."""
        timeout = held.run.timeout
        deadline = None if timeout is None else monotonic() + timeout
        try:
            while True:
                left = LOOK_INTERVAL if deadline is None else deadline - monotonic()
                if left <= 0:
                    reason = f"its process was ended after its timeout of {timeout:g} s"
                    held.end(Status.TIMED_OUT, reason)
                    deadline, left = None, 0
                kind, *content = worker.receive(min(left, LOOK_INTERVAL))
                if kind == OUTPUT:
                    held.capture.write(content[0])
                elif kind == DONE:
                    return content[0], content[1]
                elif not kind and not worker.is_alive():
                    return None  # a program of the run has kept the channel open
        except (EOFError, OSError):
            return None

    def _put(self, work: Callable[[WorkerThread], None]) -> None:
        if len(self._threads) < self.slots:
            thread = WorkerThread(f"process-{len(self._threads) + 1}", self._queue, self._start)
            thread.start()  # may raise: before the work is in the queue
            self._threads.append(thread)
        self._queue.put(work)

    def _start(self) -> Worker:
        return Worker(self._context, self._alive_until, self._home)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        """Run a job of another job store, in a thread: its executor knows no such processes."""
        self._put(lambda thread: run_foreign(self, job, run_times))


class ProcessRun:
    """One run, between the loop that may end it and the thread that drives its process.

    They race: the loop must not kill a process that has gone on to the next run. Whoever takes the
    lock first decides, and ``finish`` is the last moment at which ``end`` does anything.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.capture = Capture(conf().MAX_LOG_CHARS, SecretTexts(run))
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._status: Status | None = Status.RUNNING
        self._reason = ""
        self._finished = False

    def output(self) -> str:
        """Return what the run has printed until now."""
        return clean(self.capture.text())

    def begin(self, worker: Worker) -> None:
        """Give the run its process, which is killed at once if the run was ended before."""
        with self._lock:
            self._worker = worker
            if self._status is not Status.RUNNING:
                worker.kill()

    def end(self, status: Status | None, reason: str) -> None:
        """Kill its process; the run then has that status (None: no result is delivered)."""
        with self._lock:
            if self._finished or self._status is not Status.RUNNING:
                return
            self._status, self._reason = status, reason
            if self._worker is not None:
                self._worker.kill()

    def wait(self) -> None:
        """Return when its process is dead."""
        if self._worker is not None:
            self._worker.wait()

    def finish(self) -> tuple[Status | None, str]:
        """Return the status and reason with which somebody ended it, or that it is running."""
        with self._lock:
            self._finished = True
            return self._status, self._reason


class WorkerThread(threading.Thread):
    """Drives one worker process, and lives as long: the process dies with its parent's thread."""

    def __init__(
        self,
        name: str,
        queue: SimpleQueue[Callable[[WorkerThread], None] | None],
        start_worker: Callable[[], Worker],
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._queue = queue
        self._start_worker = start_worker
        self._worker: Worker | None = None

    def run(self) -> None:
        """Do what is queued, one after another."""
        while (work := self._queue.get()) is not None:
            work(self)
        self.end_worker()

    def worker(self) -> Worker:
        """Return the living worker process of this thread, starting one if need be."""
        if self._worker is not None and not self._worker.is_alive():
            self.end_worker()  # it died between two runs
        if self._worker is None:
            self._worker = self._start_worker()
        return self._worker

    def end_worker(self) -> int | None:
        """Kill the process, with all that it started, and return its exit code."""
        worker, self._worker = self._worker, None
        return None if worker is None else worker.exitcode()


class Worker:
    """One worker process and the channel to it."""

    def __init__(self, context: Any, alive_until: Any, home: Home) -> None:
        """Start it.

        Raises:
            OSError: the system has no memory, process or descriptor for it.
        """
        try:
            os.getcwd()
        except OSError:
            home.return_to()  # a job went into a directory that is gone: nothing starts from there
        self._channel, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, os.getpid(), alive_until, home), name="scheduler-worker"
        )
        self._process.start()
        theirs.close()
        self._ready = False
        leave_to_parent(self)

    def descriptors(self) -> list[int]:
        """Return what a fork must not hold open."""
        return [] if self._channel.closed else [self._channel.fileno()]

    def is_ready(self) -> bool:
        """Wait until the process can take runs; False: it ended instead."""
        with suppress(EOFError, OSError):
            while not self._ready:
                self._ready = self.receive(LOOK_INTERVAL)[0] == READY
        return self._ready

    def is_alive(self) -> bool:
        """Return whether the process lives."""
        return bool(self._process.is_alive())

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a run. A process that is gone is noticed by ``receive``."""
        with suppress(OSError):
            self._channel.send(message)

    def receive(self, timeout: float) -> tuple[Any, ...]:
        """Return the next message, or ``("",)`` after ``timeout`` seconds.

        Raises:
            EOFError, OSError: the process is gone, and all that it sent was received.
        """
        if not self._channel.poll(timeout):
            return ("",)
        message: tuple[Any, ...] = self._channel.recv()
        return message

    def kill(self) -> None:
        """Kill the process with all that it started."""
        kill_tree(self._process.pid)

    def wait(self) -> None:
        """Return when the process is dead, and leave its exit code to ``exitcode``."""
        with suppress(ChildProcessError):  # another thread has taken it
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)

    def exitcode(self) -> int | None:
        """End the process, if it has not, and return its exit code."""
        self._channel.close()
        self._process.join(LOOK_INTERVAL)  # one that leaves by itself does so within milliseconds
        if self._process.exitcode is None:
            self.kill()
            self._process.join()
        return self._process.exitcode
