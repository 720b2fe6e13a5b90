"""A stock APScheduler scheduler on ``DjangoJobStore``: the same lease, the same ledger.

A thread beside the scheduler turns the same loop as ``DjangoScheduler`` does: leader or standby,
claim, start, record. What it started, the stock scheduler finds in ``get_due_jobs`` and submits to
its own executors in its own thread; the store lets its loop see nothing else. So any number of
processes may run django-apscheduler's example at once, and none of its database calls can end the
scheduler's thread.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
)
from apscheduler.schedulers.base import STATE_RUNNING, STATE_STOPPED
from django.db import connections

from ..conf import conf
from ..engine.events import Events
from ..engine.executors.runner import Run
from ..engine.leadership.lease import ForeignProject
from ..engine.loop import Loop
from ..engine.wakeup import Wakeup
from ..models import Execution
from ..models.execution import Status
from .handover import HandedJob, HandoverExecutor

logger = logging.getLogger("scheduler.plain")

OUTCOMES = EVENT_JOB_EXECUTED | EVENT_JOB_ERROR
JOIN_TIMEOUT = 5.0
"""Seconds that a shutdown waits for the last results to be written."""


class Keeper:
    """The thread beside one stock scheduler."""

    def __init__(self, using: str, scheduler: Any, alias: str) -> None:
        self.scheduler = scheduler
        self.alias = alias
        self.executors = Handovers(scheduler, alias)
        self.wakeup = Wakeup()
        self.loop = Loop(using, self.executors, self.wakeup, StockEvents(scheduler, alias))
        self.executors.loop = self.loop
        self._stopping = self._has_run = False
        self._claims_no_more = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler-keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self.scheduler.add_listener(self._heard, EVENT_JOB_SUBMITTED | OUTCOMES)
        atexit.register(self.stop)
        self._thread.start()

    def stop(self) -> None:
        """Hand the lease over; wait for results, but not for bodies that still run."""
        atexit.unregister(self.stop)
        self._stopping = True
        self.wakeup.set()
        self._claims_no_more.wait(JOIN_TIMEOUT)
        if not any(executor._runs for executor in self.executors.values()):
            self._thread.join(JOIN_TIMEOUT)
        self.scheduler.remove_listener(self._heard)

    def due(self) -> list[HandedJob]:
        """Return the runs to submit now, in the stock scheduler's thread, without the database."""
        for executor in self.executors.values():
            executor.refuse_offered(Status.FAILED, "its executor did not take it: see the log")
        return [job for executor in self.executors.values() for job in executor.take()]

    def handed_out(self, job: Any) -> bool:
        """Return whether this is a run on its way, and no stored job."""
        return isinstance(job, HandedJob)

    def _run(self) -> None:
        try:
            while not (self._stopping or self._is_shut_down()):
                self.wakeup.wait(self._turn(), self.loop.listener)
                self.loop.idle = not self.wakeup.take_dirty()
            for executor in self.executors.values():
                executor.give_back()
            self._claims_no_more.set()
            self.loop.drain(lambda: conf().DRAIN_TIMEOUT)
        except ForeignProject as error:
            logger.critical("Nothing will run here: %s", error)
        finally:
            self._claims_no_more.set()
            connections.close_all()

    def _is_shut_down(self) -> bool:
        """Return whether the stock scheduler is shutting down.

        It waits for its job functions first, so that the store hears of it much later.
        """
        stopped = self.scheduler.state == STATE_STOPPED
        self._has_run = self._has_run or not stopped
        return self._has_run and bool(stopped)

    def _turn(self) -> float:
        state = self.scheduler.state
        if state != STATE_RUNNING and not self.loop.leads:
            return conf().STANDBY_INTERVAL  # starting, or only used to look at the jobs
        wait = self.loop.turn(paused=state != STATE_RUNNING)
        if any(executor.offered for executor in self.executors.values()):
            self.scheduler.wakeup()
        return wait

    def _heard(self, event: Any) -> None:
        if event.jobstore != self.alias:
            return
        for executor in self.executors.values():
            if event.code & EVENT_JOB_SUBMITTED:
                executor.submitted(event.job_id, event.scheduled_run_times[0])
            else:
                executor.ended(event)


class Handovers(Mapping[str, HandoverExecutor]):
    """The stock scheduler's executors of this moment: they may be added, and removed."""

    loop: Loop | None = None

    def __init__(self, scheduler: Any, alias: str) -> None:
        self._scheduler = scheduler
        self._alias = alias
        self._made: dict[str, HandoverExecutor] = {}

    def __getitem__(self, alias: str) -> HandoverExecutor:
        """Return the executor; also one that was removed, for the runs that it has."""
        made = self._made.get(alias)
        stock = self._scheduler._executors.get(alias, made and made.stock)
        if stock is None:
            raise KeyError(alias)
        if made is None or made.stock is not stock:
            made = HandoverExecutor(alias, stock, self._scheduler, self._alias)
            if (loop := self.loop) is not None:
                made.connect(loop.dispatcher.deliver, loop.lease.trusted, loop.clock.now)
            self._made[alias] = made
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._scheduler._executors))

    def __len__(self) -> int:
        return len(self._scheduler._executors)

    def __contains__(self, alias: object) -> bool:
        return alias in self._scheduler._executors


class StockEvents(Events):
    """The stock scheduler dispatches what it submits and what its executors end by itself."""

    def _job_event(self, code: int, run: Run | Execution, **outcome: Any) -> None:
        if code == EVENT_JOB_MISSED:
            super()._job_event(code, run, **outcome)

    def _submission(self, code: int, run: Run | Execution) -> None:
        if code == EVENT_JOB_MAX_INSTANCES:
            super()._submission(code, run)
