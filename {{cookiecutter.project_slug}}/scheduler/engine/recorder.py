"""Writes what came back from the executors. Needs no lease: also a standby and a drain record."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.db import OperationalError, transaction

from ..models.execution import Status
from .clock import db_now
from .dispatcher import Dispatcher
from .events import Events
from .ledger import Ledger
from .outage import is_lock_wait, is_outage
from .runner import Result, Run

logger = logging.getLogger("scheduler.recorder")

TIME_TO_END = timedelta(seconds=10)
"""What this process may need to end. A body in a thread lives until then, and its retry, which a
new leader starts, must wait."""


class Recorder:
    def __init__(self, ledger: Ledger, dispatcher: Dispatcher, events: Events) -> None:
        self.ledger = ledger
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
        results, written = self._write(results)
        runs = dict(self.dispatcher.in_flight)
        self.dispatcher.recorded(results)
        self._tell(results, written, runs)
        return any(result.status is not Status.SUCCEEDED for result in results)

    def give_up(self, reason: str) -> int:
        """At the end of a drain: the runs that outlast it are recorded, not lost silently."""
        now, runs = db_now(self.ledger.using), self.dispatcher.in_flight
        ended = self.dispatcher.unrecorded()  # from here on, what ends is too late
        left = runs.keys() - {result.id for result in ended}
        lost = [Result(id, Status.LOST, runs[id].started_at, now, reason=reason) for id in left]
        self.ledger.retry_pause = TIME_TO_END
        results, written = self._write([*ended, *lost])
        self._tell(results, written, runs)
        return len(left)

    def recover_lost_replies(self) -> int:
        """Rows marked running by a commit whose reply never came go back to the queue.

        Only the commit of this process can have marked them, and it handed them to nobody.
        """
        unknown = self.ledger.running_here() - self.dispatcher.in_flight.keys()
        return self.ledger.give_back(unknown) if unknown else 0

    def _write(self, results: list[Result]) -> tuple[list[Result], set[int]]:
        """Those that were dealt with, and the ids of those whose outcome this process wrote."""
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
        """Without waiting: the loop must not stand still as long as a user's transaction does."""
        with transaction.atomic(using=self.ledger.using):
            held = self.ledger.held_by_others([result.id for result in results])
            free = [result for result in results if result.id not in held]
            written = self._write_all(free)
        self._some_are_held = bool(held)
        return free, written

    def _write_all(self, results: list[Result]) -> set[int]:
        ended = [result for result in results if result.status is not Status.QUEUED]
        not_started = [result.id for result in results if result.status is Status.QUEUED]
        if not_started:
            self.ledger.give_back(not_started)
        return self._finish(ended) if ended else set()

    def _finish(self, results: list[Result]) -> set[int]:
        try:
            return self.ledger.finish(results, self.dispatcher.in_flight)
        except Exception as error:
            if is_outage(error):
                raise
            logger.exception("Results could not be written together; writing them one by one")
        written: set[int] = set()
        for result in results:
            try:
                with transaction.atomic(using=self.ledger.using):
                    written |= self.ledger.finish([result], self.dispatcher.in_flight)
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
                written |= self.ledger.finish([bare], self.dispatcher.in_flight)
        return written

    def _tell(self, results: list[Result], written: set[int], runs: Mapping[int, Run]) -> None:
        """Of those only that this process wrote: of the others their writer told."""
        for result in results:
            if result.id in written:
                self.events.finished(runs[result.id], result)
