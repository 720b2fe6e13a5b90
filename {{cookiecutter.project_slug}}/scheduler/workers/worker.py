"""A worker process: a node of its own that claims, runs and records what is published.

Celery or a backend of Django's Tasks API calls ``Worker.execute`` in one of its threads, with what
a message says. That thread calls the job function, and nothing else: a thread of the worker's own
sends its heartbeat and does all statements, on a connection whose waits are bounded. So a body
that takes hours keeps its run, and a database that is away for a while costs no outcome.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connections

from .. import signals
from ..conf import conf
from ..db.clock import ClusterClock, monotonic
from ..db.connection import LoopConnection
from ..db.errors import is_outage
from ..definitions import references
from ..engine.dispatcher import Dispatcher
from ..engine.events import Events
from ..engine.executors.forks import guard_forks
from ..engine.executors.runner import Result, Run
from ..engine.executors.tree import (
    MAX_ENDED_CHILDREN,
    adopt_orphans,
    end_descendants,
    ended_children,
    reap_children,
)
from ..engine.leadership.node import Self
from ..engine.ledger.claiming import claim
from ..engine.ledger.outcomes import Outcomes
from ..engine.ledger.retries import may_retry
from ..engine.livelog import LiveLog
from ..engine.outage import Outage
from ..engine.recorder import Recorder
from ..engine.wakeup import Wakeup
from ..models import Node
from ..models.execution import Status
from ..models.node import WAKES_BY_MESSAGE, Role
from .bodies import Bodies

logger = logging.getLogger("scheduler.worker")

LOOK_INTERVAL = 0.5
"""Seconds between two looks at what runs: at its time, its output and requests to cancel it."""
MAX_BEAT_INTERVAL = 5.0
TRIES = 3
"""Workers that may be asked for a function that their code does not have ..."""
PAUSE_BETWEEN_TRIES = timedelta(seconds=10)
"""... and how long the run waits in between: a deploy reaches one worker after the other."""
CANNOT_END = (
    "timeout: this worker cannot end a body. Start it with a pool of processes (celery worker "
    "--pool prefork), or give the job warn_after instead"
)
STOP_TIMEOUT = 5.0
"""Seconds for the last statements of a process that ends."""

Answer = TypeVar("Answer")


class Worker:
    """One for each process. ``execute`` may be called by several threads at once."""

    def __init__(self, can_end: bool) -> None:
        """Make the node of this process.

        Args:
            can_end: whether this process may be ended to end the one body that it runs: whoever
                started it then starts another one.
        """
        self.can_end = can_end
        self.pid = os.getpid()
        self._using = conf().DATABASE
        self.node = Self(self._using, ttl=conf().WORKER_TTL)
        self._clock = ClusterClock()
        self._wakeup = Wakeup()
        self._bodies = Bodies()
        self.dispatcher = Dispatcher({"workers": self._bodies}, self._wakeup)
        self._outcomes = Outcomes(self._using, self.node.id)
        self._events = Events(None, "default")
        self._recorder = Recorder(self._outcomes, self.dispatcher, self._events)
        self._live_log = LiveLog(self._outcomes, self.dispatcher)
        self._connection = LoopConnection(self._using)
        self._outage = Outage(self._connection)
        self._steps: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._beat_at = self._look_at = 0.0
        self._trusted_until = 0.0
        self._begin_until: dict[int, float] = {}
        """Until when each claimed run may begin (monotonic): as of its claim."""
        self._recorded: dict[int, threading.Event] = {}
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._bodies.connect(self.dispatcher.deliver, lambda term: True, self._clock.now)

    def start(self) -> None:
        """Begin to send heartbeats."""
        guard_forks()
        if self.can_end:
            adopt_orphans()
        self._thread.start()

    def execute(self, id: int, publication: int) -> None:
        """Claim one publication, run it, and return when its outcome is in the database.

        A message whose run somebody else has claimed, or that is out of date, does nothing.
        """
        run = None if self._is_stopping else self._ask(lambda: self._claim(id, publication))
        if run is None:
            logger.debug("Publication %s of execution %s is not to be run", publication, id)
            return
        if (missing := _why_unknown(run)) and publication < TRIES:
            logger.warning("Execution %s is left to another worker: %s", id, missing)
            self._ask(lambda: self._give_back(run))
            return
        recorded = self._recorded[id] = threading.Event()
        if monotonic() >= self._begin_until.pop(id):
            # This process stood still since the claim: it may have been judged dead meanwhile, and
            # the run be repeated elsewhere. A heartbeat since then changes nothing.
            self.dispatcher.deliver(Result(id, Status.QUEUED))
        elif run.timeout is not None and not self.can_end:
            self.dispatcher.deliver(Result(id, Status.FAILED, run.started_at, self._clock.now(),
                                           reason=CANNOT_END))  # fmt: skip
        else:
            self._bodies.submit(run)
        recorded.wait()
        if self.can_end and ended_children() > MAX_ENDED_CHILDREN:
            reap_children()  # the daemons of earlier runs

    def stop(self) -> None:
        """Leave: what has not begun goes back to the queue, and the node has stopped."""
        self._is_stopping = True
        self._wakeup.nudge()
        self._thread.join(STOP_TIMEOUT)
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        signals.worker_stopping.send_robust(sender=Node, node_id=self.node.id)

    def _ask(self, step: Callable[[], Answer]) -> Answer:
        """Let the worker's thread do the step, and wait for what it returns or raises."""
        future: Future[Answer] = Future()
        self._steps.append((step, future))
        self._wakeup.nudge()
        return future.result()

    def _work(self) -> None:
        while not self._is_stopping:
            wait = self._turn()
            self._wakeup.wait(wait)
        self._turn()
        with suppress(Exception):  # the database may be away; the others take our silence for it
            self.node.beat(Role.STOPPED, WAKES_BY_MESSAGE, "")
        connections.close_all()

    def _turn(self) -> float:
        """Take one turn, and return the seconds to sleep if nothing wakes the thread before."""
        try:
            self._end_what_was_judged()
            self._connection.prepare()
            self._beat()
            self._take_steps()
            self._recorder.record()
            self._note_recorded()
            self._live_log.write()
            self._look_at_runs()
        except Exception as error:
            return self._outage.begin(error)
        self._outage.succeeded()
        wait = self._beat_at - monotonic()
        return max(min(wait, LOOK_INTERVAL) if self.dispatcher.in_flight else wait, 0.0)

    def _beat(self) -> None:
        before = monotonic()
        if before < self._beat_at and self._outage.since is None:
            return
        self.node.metrics.busy_workers = len(self.dispatcher.in_flight)
        self.node.beat(Role.WORKER, WAKES_BY_MESSAGE, self._outage.last_error)
        self._beat_at = before + min(self.node.ttl / 6, MAX_BEAT_INTERVAL)
        self._trusted_until = before + self.node.ttl * 3 / 4
        self._clock.sync(self._using)
        self._recorder.recover_lost_replies()
        for run in self.dispatcher.overdue(self._clock.now()):
            self._events.overdue(run)

    def _take_steps(self) -> None:
        while self._steps:
            step, future = self._steps[0]
            try:
                answer = step()
            except Exception as error:
                if is_outage(error):
                    raise  # it stays, and is done when the database is back
                future.set_exception(error)
            else:
                future.set_result(answer)
            self._steps.popleft()

    def _claim(self, id: int, publication: int) -> Run | None:
        """Claim one publication. ``recover_lost_replies`` gives back one whose reply is lost."""
        if id in self.dispatcher.in_flight or self._is_stopping:
            return None
        until = self._trusted_until
        run = claim(self._using, self.node.id, id, publication)
        if run is not None:
            self._begin_until[id] = until
            self.dispatcher.in_flight[id] = run
            self._events.started([run])
        return run

    def _give_back(self, run: Run) -> None:
        self._outcomes.give_back([run.id], PAUSE_BETWEEN_TRIES)
        self._begin_until.pop(run.id)
        self.dispatcher.in_flight.pop(run.id)

    def _note_recorded(self) -> None:
        for id in self._recorded.keys() - self.dispatcher.in_flight.keys():
            self._bodies.forget(id)
            self._recorded.pop(id).set()

    def _look_at_runs(self) -> None:
        """End what is to end. Bodies race with it: whose outcome arrived is recorded instead."""
        if not self.dispatcher.in_flight or monotonic() < self._look_at:
            return
        self._look_at = monotonic() + LOOK_INTERVAL
        for id in self._outcomes.cancel_requested():
            if not self.can_end:
                self.dispatcher.cancel([id])
            else:
                self._end(id, Status.CANCELLED, "its process was ended")
        for id in self._bodies.late():
            timeout = self.dispatcher.in_flight[id].timeout
            reason = f"its process was ended after its timeout of {timeout:g} s"
            self._end(id, Status.TIMED_OUT, reason)

    def _end(self, id: int, status: Status, reason: str) -> None:
        """End a body with its process, whose only one it is."""
        run = self.dispatcher.in_flight.get(id)
        if run is None or not self._bodies.end(id):
            return  # its result is on its way
        output, now = self._bodies.output(id), self._clock.now()
        result = Result(id, status, run.started_at, now, log=output, reason=reason)
        try:
            if id in self._outcomes.finish([result], {id: run}):
                self._events.finished(run, result)
            self.node.beat(Role.STOPPED, WAKES_BY_MESSAGE, "")
        finally:
            self._say_goodbye()
            _end_process()

    def _end_what_was_judged(self) -> None:
        """End this process after a freeze, if another worker may be repeating its run."""
        if monotonic() < self._trusted_until:
            return
        repeatable = [
            run.id
            for run in list(self.dispatcher.in_flight.values())
            if may_retry(Status.LOST, run)
        ]
        if repeatable:
            logger.error(
                "This worker was silent for too long, and its runs may be repeated elsewhere: it "
                "ends, with executions %s",
                repeatable,
            )
            _end_process()


def _why_unknown(run: Run) -> str:
    """Return why this process cannot find the run's function; empty if it can."""
    try:
        references.resolve(run.func)
    except references.FunctionError as error:
        return str(error)
    return ""


def _end_process() -> None:
    end_descendants()
    logging.shutdown()
    os._exit(1)


_current: Worker | None = None
_starting = threading.Lock()


def current(can_end: bool = False) -> Worker:
    """Return this process's worker, started by the first call; a fork has one of its own."""
    global _current
    with _starting:
        if _current is None or _current.pid != os.getpid():
            _current = Worker(can_end)
            _current.start()
        return _current


def stop() -> None:
    """Stop this process's worker, if there is one."""
    if _current is not None and _current.pid == os.getpid():
        _current.stop()
