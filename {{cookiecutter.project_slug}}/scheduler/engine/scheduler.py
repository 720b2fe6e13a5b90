"""APScheduler's face: its API, its events, its other job stores. The work is in ``loop``."""

from __future__ import annotations

import logging
import threading
from typing import Any

from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.base import STATE_PAUSED, STATE_STOPPED, SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler

from ..conf import conf
from ..jobstore import DjangoJobStore
from .events import Events
from .executors import ThreadExecutor
from .livejobs import LiveJobs
from .loop import Loop
from .processes import ProcessExecutor
from .runner import current_run
from .wakeup import Wakeup

logger = logging.getLogger("scheduler")


class DjangoScheduler(LiveJobs, BlockingScheduler):
    """Any number of processes may start one; one of them leads, the others stand by.

    ``start()`` blocks until ``shutdown()`` or ``stop()``. Losing the lease, the database or a job
    ends nothing.
    """

    loop: Loop

    def __init__(self, gconfig: dict[str, Any] | None = None, **options: Any) -> None:
        self.wake = Wakeup()
        self._stopping = False
        self._drain_for: float | None = None
        self._ended = threading.Event()
        super().__init__(gconfig or {}, **options)
        if "processes" not in self._executors:
            self.add_executor(ProcessExecutor(conf().PROCESSES), "processes")

    def start(self, paused: bool = False) -> None:
        """Run until somebody calls ``stop()`` or ``shutdown()``.

        Raises:
            ForeignProject: the tables belong to another project.
        """
        try:
            self.begin(paused)
            self._main_loop()
        finally:
            self._ended.set()

    def begin(self, paused: bool = False) -> None:
        """All of ``start`` but the loop, for tests that turn it by hand."""
        self._thread = threading.current_thread()
        super(BlockingScheduler, self).start(paused)
        ours = {
            alias: executor
            for alias, executor in self._executors.items()
            if isinstance(executor, ThreadExecutor)
        }
        self.loop = Loop(conf().DATABASE, ours, self.wake, Events(self, "default"))

    def wakeup(self) -> None:
        """Make the loop turn now. Safe in any thread and in a signal handler."""
        self.wake.set()

    def stop(self, drain_for: float | None = None) -> None:
        """Ask the loop to end. Takes no lock, so a signal handler may call it.

        Args:
            drain_for: seconds to wait for running jobs; None: ``APSCHEDULER_DRAIN_TIMEOUT``.
        """
        self._drain_for = drain_for
        self._stopping = True
        self.wake.set()

    def shutdown(self, wait: bool = True) -> None:
        """APScheduler's way to stop. With ``wait``, returns when the loop has ended.

        Called by a job it never waits, since it would wait for itself.

        Raises:
            SchedulerNotRunningError: it was not started.
        """
        if self.state == STATE_STOPPED:
            raise SchedulerNotRunningError
        self.stop(None if wait else 0.0)
        if wait and current_run() is None and threading.current_thread() is not self._thread:
            self._ended.wait()

    def add_executor(self, executor: Any, alias: str = "default", **options: Any) -> None:
        """As APScheduler's; its pools are replaced by ours of the same size."""
        if isinstance(executor, str):
            executor, options = self._create_plugin_instance("executor", executor, options), {}
        if isinstance(executor, ThreadPoolExecutor):
            executor = ThreadExecutor(executor._pool._max_workers)
        elif isinstance(executor, ProcessPoolExecutor):
            executor = ProcessExecutor(executor._pool._max_workers)
        super().add_executor(executor, alias, **options)

    def _configure(self, config: dict[str, Any]) -> None:
        """APScheduler's, but a job may be late: its default grace of one second loses runs."""
        given = {"misfire_grace_time": None, **conf().JOB_DEFAULTS}
        config["job_defaults"] = given | dict(config.get("job_defaults", {}))
        super()._configure(config)

    def _create_default_executor(self) -> ThreadExecutor:
        return ThreadExecutor(conf().MAX_WORKERS)

    def _create_default_jobstore(self) -> DjangoJobStore:
        return DjangoJobStore()

    def _main_loop(self) -> None:
        while not self._stopping:
            wait = self._process_jobs()
            self.loop.lifesign.turned()
            self.wake.wait(wait, self.loop.listener)
            self.loop.quiet = not self.wake.take_news()
        self.loop.drain(self._drain_limit)
        super(BlockingScheduler, self).shutdown(wait=False)

    def _process_jobs(self) -> float:
        """One turn, whatever the role. Never raises for the database's sake."""
        wait = self.loop.turn(paused=self.state == STATE_PAUSED)
        if self.loop.leads and self._has_other_stores():
            try:
                others = super()._process_jobs()
            except Exception:  # APScheduler guards one of the calls that it makes to a store
                logger.exception("A job store other than DjangoJobStore failed")
                others = self.jobstore_retry_interval
            wait = wait if others is None else min(wait, others)
        return wait

    def _has_other_stores(self) -> bool:
        """Jobs of other job stores run as APScheduler runs them, on the leader only."""
        return not all(isinstance(store, DjangoJobStore) for store in self._jobstores.values())

    def _drain_limit(self) -> float:
        """Read at each look, since a second signal may shorten it."""
        return conf().DRAIN_TIMEOUT if self._drain_for is None else self._drain_for
