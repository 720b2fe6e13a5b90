"""Emit APScheduler's events and Django's signals: in the loop's thread, after the commit."""

from __future__ import annotations

import logging
from functools import partial
from types import ModuleType
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.schedulers.base import BaseScheduler
from django.dispatch import Signal

from .. import signals
from ..masking import scrubbed
from ..models import Execution, Lease
from ..models.execution import Status
from .executors.runner import Result, Run, as_row
from .ledger.instances import NO_ROOM
from .ledger.retries import may_retry

logger = logging.getLogger("scheduler.events")

PLANNED_HANDOVERS = ("stopping", "asked to resign")
"""Reasons of handovers that an operator asked for: logged without a warning."""


class Events:
    """Emits, for each run in this order: submitted and ``run_started``, then its outcome."""

    def __init__(self, scheduler: BaseScheduler | None, alias: str) -> None:
        """Emit for the listeners of a scheduler, and for all receivers of signals.

        Args:
            scheduler: whose listeners hear of it; None in a worker, which has only signals.
            alias: of the job store, as the events name it.
        """
        self._scheduler = scheduler
        self._alias = alias

    def unrun(self, rows: list[Execution]) -> None:
        """Emit the events of fire times that were recorded as missed or skipped."""
        for row in rows:
            if row.status == Status.MISSED:
                self._job_event(EVENT_JOB_MISSED, row)
                _send(signals.run_missed, Execution, execution=row)
            elif row.status == Status.SKIPPED:
                if row.reason in NO_ROOM:
                    self._submission(EVENT_JOB_MAX_INSTANCES, row)
                _send(signals.run_skipped, Execution, execution=row)

    def started(self, runs: list[Run]) -> None:
        """Emit the events of runs whose start is committed."""
        for run in runs:
            self._submission(EVENT_JOB_SUBMITTED, run)
            self._signal(signals.run_started, run)
            if run.task_backend:
                task_listeners().send_started(partial(as_row, run))

    def overdue(self, run: Run) -> None:
        """Warn of a run that lasts longer than its ``warn_after``."""
        logger.warning("Execution %s of %r runs longer than %g s", run.id, run.job_id,
                       run.warn_after, extra=_fields(run))  # fmt: skip
        self._signal(signals.run_overdue, run)

    def finished(self, run: Run, result: Result) -> None:
        """Emit the outcome of a run that this process recorded."""
        if result.status is Status.SUCCEEDED:
            self._job_event(EVENT_JOB_EXECUTED, run, retval=result.value)
            self._signal(signals.run_succeeded, run, result)
        elif result.status is Status.LOST:
            logger.error("Execution %s of %r is lost: %s", run.id, run.job_id, result.reason,
                         extra=_fields(run))  # fmt: skip
            self._signal(signals.run_lost, run, result)
        elif result.status is Status.CANCELLED:
            self._signal(signals.run_cancelled, run, result)
        else:
            what = scrubbed(result.traceback or result.exception or result.reason, run)
            logger.error("Execution %s of %r %s\n%s", run.id, run.job_id, result.status.english,
                         what.rstrip(), extra=_fields(run))  # fmt: skip
            error = result.error or RuntimeError(result.exception or result.reason)
            self._job_event(EVENT_JOB_ERROR, run, exception=error, traceback=result.traceback)
            self._signal(signals.run_failed, run, result, exception=result.error)
        self._task_ended(result.status, run, result)

    def lost(self, rows: list[Execution]) -> None:
        """Emit the loss of runs whose scheduler process died."""
        for row in rows:
            _send(signals.run_lost, Execution, execution=row)
            self._task_ended(row.status, row)

    def refused(self, rows: list[Execution]) -> None:
        """Emit the failure of queued runs that never started."""
        for row in rows:
            logger.error("Execution %s of %r failed: %s", row.id, row.job_id, row.reason,
                         extra=_fields(row))  # fmt: skip
            self._job_event(EVENT_JOB_ERROR, row, exception=RuntimeError(row.reason))
            _send(signals.run_failed, Execution, execution=row, exception=None)
            self._task_ended(row.status, row)

    def became_leader(self, node_id: Any, term: int) -> None:
        """Emit the begin of a term."""
        logger.info("Leader: term %d", term)
        _send(signals.became_leader, Lease, node_id=node_id, term=term)

    def housekeeping(self, term: int) -> None:
        """Emit the signal of a leader's periodic housekeeping."""
        _send(signals.housekeeping, Lease, term=term)

    def lost_leadership(self, node_id: Any, term: int, reason: str) -> None:
        """Emit the end of a term, with its reason."""
        level = logging.INFO if reason in PLANNED_HANDOVERS else logging.WARNING
        logger.log(level, "No longer leader of term %d: %s", term, reason)
        _send(signals.lost_leadership, Lease, node_id=node_id, term=term, reason=reason)

    def _task_ended(self, status: str, run: Run | Execution, result: Result | None = None) -> None:
        """Send the signal of Django's Tasks API, unless another attempt follows."""

        def row() -> Execution:
            return as_row(run, result) if isinstance(run, Run) else run

        if run.task_backend and not may_retry(status, run):
            task_listeners().send_finished(status, row)

    def _job_event(self, code: int, run: Run | Execution, **outcome: Any) -> None:
        if self._scheduler is not None and self._has_listener(code):
            slot = run.scheduled_run_time or run.due_at
            event = JobExecutionEvent(code, run.job_id, self._alias, slot, **outcome)
            self._scheduler._dispatch_event(event)

    def _submission(self, code: int, run: Run | Execution) -> None:
        if self._scheduler is not None and self._has_listener(code):
            slots = [run.scheduled_run_time or run.due_at]
            event = JobSubmissionEvent(code, run.job_id, self._alias, slots)
            self._scheduler._dispatch_event(event)

    def _has_listener(self, code: int) -> bool:
        """Return whether any listener takes this event: most schedulers have none."""
        assert self._scheduler is not None
        return any(mask & code for _, mask in self._scheduler._listeners)

    def _signal(self, signal: Signal, run: Run, result: Result | None = None, **what: Any) -> None:
        if signal.has_listeners(Execution):
            _send(signal, Execution, execution=as_row(run, result), **what)


def task_listeners() -> ModuleType:
    """Return the module, once there are tasks: a project need not have the Tasks API."""
    from ..tasks import listeners

    return listeners


def _fields(run: Run | Execution) -> dict[str, Any]:
    """Return what a log record says of a run beside its message."""
    return {"job": run.job_id, "execution": run.id, "attempt": run.attempt}


def _send(signal: Any, sender: type, **what: Any) -> None:
    for receiver, response in signal.send_robust(sender=sender, **what):
        if isinstance(response, Exception):
            logger.error("Signal receiver %r failed", receiver, exc_info=response)
