"""Write what running jobs have printed until now into their rows, so that the admin shows it.

It also stays when the whole process is killed: the outcome of such a run has no log of its own.
"""

from __future__ import annotations

from django.db import transaction

from ..db.bulk import update_each
from ..db.clock import monotonic
from ..models import Execution
from ..models.execution import Status
from .dispatcher import Dispatcher
from .ledger.outcomes import Outcomes

WRITE_INTERVAL = 2.0
"""Seconds between two writes; a run that ends sooner causes none."""
MAX_RUNS = 20
"""Runs that one write covers; the others follow with the next ones."""


class LiveLog:
    """Writes the output of running jobs, a few at a time, where it has grown."""

    def __init__(self, outcomes: Outcomes, dispatcher: Dispatcher) -> None:
        self._outcomes = outcomes
        self._dispatcher = dispatcher
        self._write_at = monotonic() + WRITE_INTERVAL
        self._written: dict[int, str] = {}

    def write(self) -> None:
        """Write the output that is not written yet, if it is time to.

        Raises:
            OperationalError, InterfaceError: the database; it is written with a later turn.
        """
        if monotonic() < self._write_at:
            return
        self._write_at = monotonic() + WRITE_INTERVAL
        running = self._dispatcher.in_flight
        self._written = {id: text for id, text in self._written.items() if id in running}
        grown = [
            (id, text)
            for id in running
            if (text := self._dispatcher.output(id)) and text != self._written.get(id)
        ]
        # Those that were never written first, then those whose last write is the oldest.
        order = {id: place for place, id in enumerate(self._written, 1)}
        grown = sorted(grown, key=lambda row: order.get(row[0], 0))[:MAX_RUNS]
        if not grown:
            return
        with transaction.atomic(using=self._outcomes.using):
            held = self._outcomes.held_by_others([id for id, _ in grown])
            free = [row for row in grown if row[0] not in held]
            update_each(
                self._outcomes.using,
                Execution,
                ("log",),
                free,
                where="t.status = %s",
                params=[Status.RUNNING],
            )
        for id, text in free:
            self._written.pop(id, None)
            self._written[id] = text
