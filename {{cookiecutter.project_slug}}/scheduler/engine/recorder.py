"""Writes what came back from the executors. Needs no lease: also a standby and a drain record."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from ..models.execution import Status
from .clock import db_now
from .dispatcher import Dispatcher
from .events import Events
from .ledger import Ledger
from .outage import is_outage
from .runner import Result, Run

logger = logging.getLogger("scheduler.recorder")


class Recorder:
    def __init__(self, ledger: Ledger, dispatcher: Dispatcher, events: Events) -> None:
        self.ledger = ledger
        self.dispatcher = dispatcher
        self.events = events

    def record(self) -> bool:
        """Write all results that arrived since the last time, in one statement.

        Returns:
            Whether that may have put rows into the queue: retries, and what was given back.

        Raises:
            OperationalError, InterfaceError: the database; the results are kept and written later.
        """
        results = self.dispatcher.unrecorded()
        if not results:
            return False
        ended = [result for result in results if result.status is not Status.QUEUED]
        not_started = [result.id for result in results if result.status is Status.QUEUED]
        if not_started:
            self.ledger.give_back(not_started)
        written = self._finish(ended) if ended else set()
        runs = dict(self.dispatcher.in_flight)
        self.dispatcher.recorded(results)
        self._tell(ended, written, runs)
        return any(result.status is not Status.SUCCEEDED for result in results)

    def give_up(self, reason: str) -> int:
        """At the end of a drain: the runs that outlast it are recorded, not lost silently."""
        left = list(self.dispatcher.in_flight)
        now = db_now(self.ledger.using)
        runs = self.dispatcher.in_flight
        results = [Result(id, Status.LOST, runs[id].started_at, now, reason=reason) for id in left]
        written = self.ledger.finish(results, runs) if results else set()
        self._tell(results, written, runs)
        return len(left)

    def recover_lost_replies(self) -> int:
        """Rows marked running by a commit whose reply never came go back to the queue.

        Only the commit of this process can have marked them, and it handed them to nobody.
        """
        unknown = self.ledger.running_here() - self.dispatcher.in_flight.keys()
        return self.ledger.give_back(unknown) if unknown else 0

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
