"""Run job functions in workers on any host: hand their messages to a broker, from a thread.

A broker that refuses costs half a second for each message, and one that is silent far more, so the
loop never speaks with it. Nothing here touches the scheduler's tables: a message that is not sent
is sent again, since its row tells the leader that nobody claimed it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from apscheduler.executors.base import BaseExecutor

from ...credentials import without_credentials
from ...db.clock import monotonic
from .protocol import Deliver
from .runner import Run

logger = logging.getLogger("scheduler.publisher")

MIN_PAUSE, MAX_PAUSE = 1.0, 30.0
"""Seconds for which nothing is tried after an error; the pause doubles with each further one."""
MAX_WAITING = 2000
"""Messages that wait to be sent. One that finds no place is sent when it is repeated."""
MAX_ERROR = 500


class Broker(Protocol):
    """Carries messages to the workers. Called by the publisher's thread only."""

    def send(self, run: Run) -> None:
        """Send ``run.id`` and ``run.publication``, or raise."""

    def close(self) -> None:
        """Drop the connection, whatever state it is in; the next ``send`` opens another one."""


class RemoteExecutor(BaseExecutor):
    """``executor="workers"``: the runs are published, and no result comes back here."""

    slots = ahead = 0

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker
        self._changed = threading.Condition()
        # By execution: of two publications of one row only the last one counts.
        self._waiting: dict[int, Run] = {}
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._pause = 0.0
        self._try_at = 0.0
        self.error = ""
        """Why nothing is published; empty while all is well."""
        self._is_back = False

    def is_back(self) -> bool:
        """Return, once for each time, whether the broker was away and takes messages again.

        It may have lost all that it had.
        """
        is_back, self._is_back = self._is_back, False
        return is_back

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """Do nothing: a worker's claim decides, and the worker writes the outcome."""

    def submit(self, run: Run) -> None:
        """Let the thread send the run's message, whose publication is committed."""
        with self._changed:
            if len(self._waiting) < MAX_WAITING or run.id in self._waiting:
                self._waiting[run.id] = run
            if self._thread is None:
                self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)
                self._thread.start()
            self._changed.notify()

    def take_back(self, before: datetime | None) -> int:
        """Return 0: what is published is given back by nobody but a worker."""
        return 0

    def keep_alive(self, until: float) -> None:
        """Do nothing: workers have a heartbeat of their own."""

    def output(self, id: int) -> str:
        """Return nothing: the worker writes the output into the row."""
        return ""

    def cancel(self, id: int) -> None:
        """Do nothing: the worker reads the request from the row."""

    def end_bodies(self) -> None:
        """Do nothing: what runs elsewhere goes on."""

    def shutdown(self, wait: bool = True) -> None:
        """Send what waits, if it can be sent, and end the thread; the next leader repeats the rest.

        Does not wait for it.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        raise NotImplementedError(
            "Jobs of another job store cannot run on workers: give them another executor"
        )

    def _publish(self) -> None:
        while (run := self._next()) is not None:
            try:
                self._broker.send(run)
            except Exception as error:
                self._failed(run, error)
            else:
                self._succeeded()
        with suppress(Exception):
            self._broker.close()

    def _next(self) -> Run | None:
        """Return the run whose message waits longest, once the pause is over; None: the end."""
        with self._changed:
            while not (self._waiting and monotonic() >= self._try_at):
                if self._is_stopping:
                    return None
                left = self._try_at - monotonic() if self._waiting else None
                self._changed.wait(left)
            return self._waiting.pop(next(iter(self._waiting)))

    def _failed(self, run: Run, error: Exception) -> None:
        if not self.error:
            logger.warning("Cannot publish to the workers, trying again: %s", error)
        with suppress(Exception):
            self._broker.close()
        with self._changed:
            self._waiting = {run.id: run} | self._waiting  # unless it was published anew meanwhile
            self._pause = min(self._pause * 2 or MIN_PAUSE, MAX_PAUSE)
            self._try_at = monotonic() + self._pause
        self.error = without_credentials(f"{type(error).__name__}: {error}")[:MAX_ERROR]

    def _succeeded(self) -> None:
        self._pause = 0.0
        if self.error:
            logger.warning("Publishing to the workers again")
            self.error = ""
            self._is_back = True
