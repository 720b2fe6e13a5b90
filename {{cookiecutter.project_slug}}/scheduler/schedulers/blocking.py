"""APScheduler's face: its API, its events, its other job stores. The work is in ``loop``."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.base import STATE_PAUSED, STATE_STOPPED, SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler

from .. import triggers
from ..conf import conf
from ..definitions.store import RowJobStore
from ..engine.events import Events
from ..engine.executors.forks import guard_forks
from ..engine.executors.processes import ProcessExecutor
from ..engine.executors.protocol import Executor
from ..engine.executors.runner import current_run
from ..engine.executors.threads import ThreadExecutor
from ..engine.loop import Loop
from ..engine.wakeup import Wakeup
from ..workers.executor import workers_executor
from .jobs import RowScheduler

logger = logging.getLogger("scheduler")


class DjangoScheduler(RowScheduler, BlockingScheduler):
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
        if "workers" not in self._executors:
            self.add_executor(workers_executor(), "workers")

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
        """Do all of ``start`` but the loop, for tests that turn it by hand."""
        self._thread = threading.current_thread()
        guard_forks()
        super(BlockingScheduler, self).start(paused)
        ours = {
            alias: executor
            for alias, executor in self._executors.items()
            if isinstance(executor, Executor)
        }
        self.loop = Loop(conf().DATABASE, ours, self.wake, Events(self, "default"))
        triggers.fingerprint(datetime.now(UTC).year)  # now, not between two leaders

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
        """Stop the scheduler, as APScheduler does. With ``wait``, return when the loop has ended.

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
        """Add an executor, as APScheduler does; its pools are replaced by ours of the same size."""
        if isinstance(executor, str):
            executor, options = self._create_plugin_instance("executor", executor, options), {}
        if isinstance(executor, ThreadPoolExecutor):
            executor = ThreadExecutor(executor._pool._max_workers)
        elif isinstance(executor, ProcessPoolExecutor):
            executor = ProcessExecutor(executor._pool._max_workers)
        super().add_executor(executor, alias, **options)
        if self.state != STATE_STOPPED and isinstance(executor, Executor):
            self.loop.add_executor(executor, alias)

    def _configure(self, config: dict[str, Any]) -> None:
        """Configure as APScheduler does, but let jobs be late: a grace of one second loses runs."""
        given = {"misfire_grace_time": None, **conf().JOB_DEFAULTS}
        config["job_defaults"] = given | dict(config.get("job_defaults", {}))
        super()._configure(config)

    def _create_default_executor(self) -> ThreadExecutor:
        return ThreadExecutor(conf().MAX_WORKERS)

    def _create_default_jobstore(self) -> RowJobStore:
        return RowJobStore()

    def _main_loop(self) -> None:
        while not self._stopping:
            wait = self._process_jobs()
            self.loop.send_heartbeat()
            self.wake.wait(wait, self.loop.listener)
            self.loop.idle = not self.wake.take_dirty()
        self.loop.drain(self._drain_limit)
        super(BlockingScheduler, self).shutdown(wait=False)

    def _process_jobs(self) -> float:
        """Take one turn, whatever the role. Never raises because of the database."""
        wait = self.loop.turn(paused=self.state == STATE_PAUSED)
        if self.loop.leads and not self.loop.lease.paused and self._has_other_stores():
            try:
                others = super()._process_jobs()
            except Exception:  # APScheduler guards one of the calls that it makes to a store
                logger.exception("A job store other than RowJobStore failed")
                others = self.jobstore_retry_interval
            wait = wait if others is None else min(wait, others)
        return wait

    def _has_other_stores(self) -> bool:
        """Return whether there are jobs of other stores: APScheduler runs them, on the leader."""
        return not all(isinstance(store, RowJobStore) for store in self._jobstores.values())

    def _drain_limit(self) -> float:
        """Read at each look, since a second signal may shorten it."""
        return conf().DRAIN_TIMEOUT if self._drain_for is None else self._drain_for
