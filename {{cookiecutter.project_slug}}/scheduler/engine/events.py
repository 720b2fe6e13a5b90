"""APScheduler's events and Django's signals, both from the loop, both after the commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from django.dispatch import Signal

from .. import signals
from ..conf import conf
from ..masking import scrubbed
from ..models import Execution, Lease
from ..models.execution import Status
from .planner import NO_ROOM
from .runner import COLUMNS, OUTCOME, Result, Run

if TYPE_CHECKING:
    from .scheduler import DjangoScheduler

logger = logging.getLogger("scheduler.events")

PLANNED = ("stopping", "asked to resign")
"""Reasons of a hand-over that somebody wanted: nothing to warn of."""


class Events:
    """Order for one run: submitted and ``run_started``, then executed or error and its signal."""

    def __init__(self, scheduler: DjangoScheduler, alias: str) -> None:
        self._scheduler = scheduler
        self._alias = alias

    def unrun(self, rows: list[Execution]) -> None:
        """Slots that were written with the reason why they do not run."""
        for row in rows:
            if row.status == Status.MISSED:
                self._job_event(EVENT_JOB_MISSED, row)
                _send(signals.run_missed, Execution, execution=row)
            elif row.status == Status.SKIPPED:
                if row.reason == NO_ROOM:
                    self._submission(EVENT_JOB_MAX_INSTANCES, row)
                _send(signals.run_skipped, Execution, execution=row)

    def started(self, runs: list[Run]) -> None:
        for run in runs:
            self._submission(EVENT_JOB_SUBMITTED, run)
            self._signal(signals.run_started, run)

    def overdue(self, run: Run) -> None:
        logger.warning("Execution %s of %r runs longer than %g s", run.id, run.job_id,
                       run.warn_after)  # fmt: skip
        self._signal(signals.run_overdue, run)

    def finished(self, run: Run, result: Result) -> None:
        if result.status is Status.SUCCEEDED:
            self._job_event(EVENT_JOB_EXECUTED, run, retval=result.value)
            self._signal(signals.run_succeeded, run, result)
        elif result.status is Status.LOST:
            logger.error("Execution %s of %r is lost: %s", run.id, run.job_id, result.reason)
            self._signal(signals.run_lost, run, result)
        elif result.status is Status.CANCELLED:
            self._signal(signals.run_cancelled, run, result)
        else:
            what = scrubbed(result.traceback or result.exception or result.reason, run)
            logger.error("Execution %s of %r %s\n%s", run.id, run.job_id, result.status.label,
                         what.rstrip())  # fmt: skip
            error = result.error or RuntimeError(result.exception or result.reason)
            self._job_event(EVENT_JOB_ERROR, run, exception=error, traceback=result.traceback)
            self._signal(signals.run_failed, run, result, exception=result.error)

    def lost(self, rows: list[Execution]) -> None:
        for row in rows:
            _send(signals.run_lost, Execution, execution=row)

    def refused(self, rows: list[Execution]) -> None:
        """Queued rows that failed without a start."""
        for row in rows:
            logger.error("Execution %s of %r failed: %s", row.id, row.job_id, row.reason)
            self._job_event(EVENT_JOB_ERROR, row, exception=RuntimeError(row.reason))
            _send(signals.run_failed, Execution, execution=row, exception=None)

    def became_leader(self, node_id: Any, term: int) -> None:
        logger.info("Leader: term %d", term)
        _send(signals.became_leader, Lease, node_id=node_id, term=term)

    def lost_leadership(self, node_id: Any, term: int, reason: str) -> None:
        level = logging.INFO if reason in PLANNED else logging.WARNING
        logger.log(level, "No longer leader of term %d: %s", term, reason)
        _send(signals.lost_leadership, Lease, node_id=node_id, term=term, reason=reason)

    def _job_event(self, code: int, run: Run | Execution, **outcome: Any) -> None:
        if self._heard(code):
            slot = run.scheduled_run_time or run.due_at
            event = JobExecutionEvent(code, run.job_id, self._alias, slot, **outcome)
            self._scheduler._dispatch_event(event)

    def _submission(self, code: int, run: Run | Execution) -> None:
        if self._heard(code):
            slots = [run.scheduled_run_time or run.due_at]
            event = JobSubmissionEvent(code, run.job_id, self._alias, slots)
            self._scheduler._dispatch_event(event)

    def _heard(self, code: int) -> bool:
        """Whether anybody listens: most schedulers have no listener."""
        return any(mask & code for _, mask in self._scheduler._listeners)

    def _signal(self, signal: Signal, run: Run, result: Result | None = None, **what: Any) -> None:
        if signal.has_listeners(Execution):
            _send(signal, Execution, execution=_row(run, result), **what)


def _row(run: Run, result: Result | None) -> Execution:
    """The row as this process knows it; of a column that it does not know, Django reads it."""
    known = {name: getattr(run, name) for name in COLUMNS} | {"status": Status.RUNNING}
    if result is not None:
        known |= {name: getattr(result, name) for name in OUTCOME}
    names = [f.attname for f in Execution._meta.concrete_fields if f.attname in known]
    return Execution.from_db(conf().DATABASE, names, [known[name] for name in names])


def _send(signal: Any, sender: type, **what: Any) -> None:
    for receiver, response in signal.send_robust(sender=sender, **what):
        if isinstance(response, Exception):
            logger.error("Signal receiver %r failed", receiver, exc_info=response)
