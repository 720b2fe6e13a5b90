"""Bound what computing fire times may cost: it happens inside the leader's transaction.

A trigger is somebody's text, and a combination of triggers may take longer than the lease lasts.
So fire times are computed in a thread beside the loop, which waits for each only so long. What is
still computing then is given up: the leader goes on, and the process can still be stopped.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from ...db.clock import monotonic

MAX_SECONDS_PER_JOB = 1.0
"""Seconds that one job's fire times may take. Less than half the time for which the database lets
the leader's transaction idle (``LoopConnection``)."""
LOOK_INTERVAL = 0.1
"""Seconds of one look. A longer one counts no more: something else held the interpreter, and the
computation got no time either."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class PlanningTooSlow(ValueError):
    """The fire times of a trigger took too long to compute."""

    def __init__(self) -> None:
        super().__init__(
            f"{TOO_SLOW}: its next fire time was not found within {MAX_SECONDS_PER_JOB:g} s. "
            "Simplify the trigger, then resume the job"
        )


TOO_SLOW = "planning takes too long"
"""What ``last_error`` of a job begins with that is not tried again by itself."""


def each_within(
    compute: Callable[[Item], Answer], items: Sequence[Item], turn: float
) -> Iterator[tuple[Item, Answer | Exception]]:
    """Compute an answer for each item, in order, in a thread that is given up when it hangs.

    Args:
        compute: touches no database, since connections belong to a thread.
        turn: seconds after which no further item is begun; at least one is.

    Yields:
        Each item that was begun, with its answer, what it raised, or ``PlanningTooSlow``.
    """
    until, rest = monotonic() + turn, list(items)
    while rest:
        batch = _Batch(compute, rest, until)
        batch.start()
        answers = batch.wait()
        yield from zip(rest, answers, strict=False)
        if batch.is_given_up:
            yield rest[len(answers)], PlanningTooSlow()
            answers.append(PlanningTooSlow())
        rest = rest[len(answers) :]
        if monotonic() >= until:
            return


def within(compute: Callable[[], Answer]) -> Answer:
    """Return one answer.

    Raises:
        PlanningTooSlow: it takes too long. Whatever ``compute`` raises.
    """
    ((_, answer),) = each_within(lambda _: compute(), [None], MAX_SECONDS_PER_JOB)
    if isinstance(answer, Exception):
        raise answer
    return answer


class _GivenUp(BaseException):
    """Nobody waits for the answer any more."""


class _Batch(threading.Thread, Generic[Item, Answer]):
    """Computes one item after the other until the time is up, or nobody waits any more."""

    def __init__(
        self, compute: Callable[[Item], Answer], items: Sequence[Item], until: float
    ) -> None:
        super().__init__(name="planning", daemon=True)
        self._compute, self._items, self._until = compute, items, until
        self._answers: list[Answer | Exception] = []
        self._done = threading.Event()
        self.is_given_up = False

    def run(self) -> None:
        with suppress(_GivenUp):
            for item in self._items:
                try:
                    self._answers.append(self._compute(item))
                except Exception as error:
                    self._answers.append(error)
                if self.is_given_up or monotonic() >= self._until:
                    break
        self._done.set()

    def wait(self) -> list[Answer | Exception]:
        """Return the answers when all are there, or those before the one that hangs."""
        known, looks = 0, 0
        while not self._done.wait(LOOK_INTERVAL):
            looks = looks + 1 if len(self._answers) == known else 0
            known = len(self._answers)
            if looks * LOOK_INTERVAL >= MAX_SECONDS_PER_JOB:
                self._give_up()
                return self._answers[:known]
        return list(self._answers)

    def _give_up(self) -> None:
        """End the thread at its next Python instruction, that it takes no time from others."""
        self.is_given_up = True
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self.ident or 0), ctypes.py_object(_GivenUp)
        )
