"""A scheduler in a thread of its own, with the thread's own connection, turned by the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, transaction
from scheduler.models import Execution
from scheduler.schedulers.blocking import DjangoScheduler

Answer = TypeVar("Answer")
PATIENCE = 120.0
"""Seconds after which what hangs is an error, not a wait. A busy machine is no error."""


class Peer:
    """As another process would be: nothing is shared but the database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._steps: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()
        self.scheduler: DjangoScheduler = self.do(DjangoScheduler)
        self.do(self.scheduler.begin)

    def __repr__(self) -> str:
        return self.name

    def begin(self, step: Callable[[], Answer]) -> Future[Answer]:
        """Start a step in the peer's thread, and do not wait for it."""
        future: Future[Answer] = Future()
        self._steps.put((step, future))
        return future

    def do(self, step: Callable[[], Answer]) -> Answer:
        return self.begin(step).result(PATIENCE)

    def turn(self) -> float:
        return self.do(self.scheduler._process_jobs)

    def turn_until(self, done: Callable[[], Any]) -> Any:
        """Turn, and between turns wait for whatever the bodies deliver."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.turn()
            if found := done():
                return found
            self.do(lambda: self.scheduler.wake.wait(0.05))
        raise AssertionError(f"not within {PATIENCE:g} s; the ledger: {ledger()}")

    def end(self) -> None:
        self.do(lambda: self.scheduler.loop.drain(lambda: 0.0))
        self.vanish()

    def vanish(self) -> None:
        """As kill -9 would: no further step, nothing written."""
        self._steps.put(None)
        self._thread.join(PATIENCE)

    def wait_for_results(self, count: int = 1) -> None:
        """Until so many bodies have ended whose outcome no turn has seen yet."""
        results = self.scheduler.loop.dispatcher._results
        while len(results) < count:
            assert self.do(lambda: self.scheduler.wake.wait(PATIENCE / 2)), "no body ended"

    def register(self) -> None:
        """Let the others see the node, without a look at the lease."""
        loop = self.scheduler.loop
        self.do(lambda: loop.node.beat(loop.role, "poll", ""))

    def lead(self) -> None:
        """Turn until it leads."""
        self.turn_until(lambda: self.leads)

    def beat(self) -> None:
        """A turn in which the heartbeats are due."""
        self.scheduler.loop._beat_at = 0.0
        self.turn()

    @property
    def node_id(self) -> UUID:
        return self.scheduler.loop.node.id

    @property
    def lease(self) -> Any:
        return self.scheduler.loop.lease

    @property
    def leads(self) -> bool:
        return self.scheduler.loop.leads

    def _serve(self) -> None:
        while (step := self._steps.get()) is not None:
            function, future = step
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
        connections.close_all()
        self.scheduler.loop.listener.close()


def hold(user: Peer, statement: Callable[[], Any]) -> threading.Event:
    """A transaction in which the user has done the statement; open until the event is set."""
    held, done = threading.Event(), threading.Event()

    def transact() -> None:
        with transaction.atomic():
            statement()
            held.set()
            done.wait(30)

    user.begin(transact)
    assert held.wait(30)
    return done


def ledger() -> list[tuple[Any, ...]]:
    """What a failing test shows."""
    return list(
        Execution.objects.order_by("id").values_list(
            "job_id", "scheduled_run_time", "attempt", "status", "reason", "exception"
        )
    )
