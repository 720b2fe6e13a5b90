"""Write what came back from the executors. Needs no lease: also a standby and a drain record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from django.db import OperationalError, transaction

from ..db.clock import db_now
from ..db.errors import is_lock_wait, is_outage
from ..models.execution import Status
from .dispatcher import Dispatcher
from .events import Events
from .executors.runner import Result, Run
from .ledger.outcomes import Outcomes

logger = logging.getLogger("scheduler.recorder")

SHUTDOWN_ALLOWANCE = timedelta(seconds=10)
"""What this process may need to end. A body in a thread lives until then, and its retry, which a
new leader starts, must wait."""


class Recorder:
    """Writes results into the rows of their runs, and emits their events."""

    def __init__(self, outcomes: Outcomes, dispatcher: Dispatcher, events: Events) -> None:
        self.outcomes = outcomes
        self.dispatcher = dispatcher
        self.events = events
        self._some_are_held = False

    def record(self) -> bool:
        """Write all results that arrived since the last time, in one statement.

        A user's transaction that holds the row of a run delays the outcome of that run only: it
        is kept for a later turn, and the others are written.

        Returns:
            Whether that may have put rows into the queue: retries, and what was given back.

        Raises:
            OperationalError, InterfaceError: the database; the results are kept and written later.
        """
        results = self.dispatcher.unrecorded()
        if not results:
            return False
        self._recorded(*self._write(results))
        return any(result.status is not Status.SUCCEEDED for result in results)

    def joinable(self) -> list[Result]:
        """Return what arrived, if the leader's claim may write it in its own transaction.

        Only successes, which put nothing into the queue, and no row that somebody holds: a claim
        does not wait for that.
        """
        results = self.dispatcher.unrecorded()
        if self._some_are_held or any(one.status is not Status.SUCCEEDED for one in results):
            return []
        return results

    def join(self, results: list[Result]) -> Callable[[], None]:
        """Write results with the next statement of this transaction that is waited for.

        Returns:
            What is to be called once it is committed.
        """
        matched = 0

        def hear(count: int) -> None:
            nonlocal matched
            matched = count

        if results:
            self.outcomes.finish_later(results, hear)
        return lambda: self._recorded(results, self.outcomes.written(results, matched))

    def give_up(self, reason: str) -> int:
        """Record the runs that outlast a drain as lost, rather than lose them silently.

        Returns:
            How many runs there were.
        """
        now, runs = db_now(self.outcomes.using), self.dispatcher.in_flight
        ended = self.dispatcher.unrecorded()  # from here on, what ends is too late
        left = runs.keys() - {result.id for result in ended}
        lost = [
            Result(
                id,
                Status.LOST,
                runs[id].started_at,
                now,
                log=self.dispatcher.output(id),
                reason=reason,
            )
            for id in left
        ]
        self.outcomes.retry_pause = SHUTDOWN_ALLOWANCE
        results, written = self._write([*ended, *lost])
        self._tell(results, written, runs)
        return len(left)

    def recover_lost_replies(self) -> int:
        """Give back rows that a commit marked as running whose reply never came.

        Only the commit of this process can have marked them, and it handed them to nobody.

        Returns:
            How many rows there were.
        """
        unknown = self.outcomes.running_here() - self.dispatcher.in_flight.keys()
        return self.outcomes.give_back(unknown) if unknown else 0

    def lose_unknown(self, reason: str) -> int:
        """Record as lost what the rows say that this process runs, and it does not.

        Returns:
            How many runs there were.
        """
        rows = self.outcomes.rows(self.outcomes.running_here() - self.dispatcher.in_flight.keys())
        now = db_now(self.outcomes.using)
        results = [Result(row.id, Status.LOST, row.started_at, now, reason=reason) for row in rows]
        self.outcomes.finish(results, {row.id: row for row in rows})
        self.events.lost(self.outcomes.rows([row.id for row in rows]))
        return len(rows)

    def _write(self, results: list[Result]) -> tuple[list[Result], set[int]]:
        """Write results, without waiting where somebody holds a row.

        Returns:
            The results that were dealt with, and the ids of those whose outcome this process wrote.
        """
        if not self._some_are_held:
            try:
                return results, self._write_all(results)
            except OperationalError as error:
                if not is_lock_wait(error):
                    raise
                logger.warning("Somebody holds the row of a run that ended: %s", error)
        try:
            return self._write_free(results)
        except OperationalError as error:
            if not is_lock_wait(error):
                raise
            return [], set()  # where a database cannot pass over locked rows

    def _write_free(self, results: list[Result]) -> tuple[list[Result], set[int]]:
        """Write what nobody holds: the loop must not wait for a user's transaction."""
        with transaction.atomic(using=self.outcomes.using):
            held = self.outcomes.held_by_others([result.id for result in results])
            free = [result for result in results if result.id not in held]
            written = self._write_all(free)
        self._some_are_held = bool(held)
        return free, written

    def _write_all(self, results: list[Result]) -> set[int]:
        ended = [result for result in results if result.status is not Status.QUEUED]
        not_started = [result.id for result in results if result.status is Status.QUEUED]
        if not_started:
            self.outcomes.give_back(not_started)
        return self._finish(ended) if ended else set()

    def _finish(self, results: list[Result]) -> set[int]:
        try:
            return self.outcomes.finish(results, self.dispatcher.in_flight)
        except Exception as error:
            if is_outage(error):
                raise
            logger.exception("Results could not be written together; writing them one by one")
        written: set[int] = set()
        for result in results:
            try:
                with transaction.atomic(using=self.outcomes.using):
                    written |= self.outcomes.finish([result], self.dispatcher.in_flight)
            except Exception as error:
                if is_outage(error):
                    raise
                bare = replace(
                    result,
                    exception="",
                    traceback="",
                    log="",
                    return_value="",
                    reason=f"what it left behind could not be stored: {type(error).__name__}",
                )
                written |= self.outcomes.finish([bare], self.dispatcher.in_flight)
        return written

    def _recorded(self, results: list[Result], written: set[int]) -> None:
        runs = dict(self.dispatcher.in_flight)
        self.dispatcher.recorded(results)
        self._tell(results, written, runs)

    def _tell(self, results: list[Result], written: set[int], runs: Mapping[int, Run]) -> None:
        """Emit events for the results that this process wrote; other writers emit their own."""
        for result in results:
            if result.id in written:
                self.events.finished(runs[result.id], result)
