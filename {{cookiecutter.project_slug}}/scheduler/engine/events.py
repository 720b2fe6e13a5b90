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

from .. import signals
from ..models import Execution, Lease
from ..models.execution import Status
from .planner import NO_ROOM
from .runner import Result

if TYPE_CHECKING:
    from .scheduler import DjangoScheduler

logger = logging.getLogger("scheduler.events")


class Events:
    """Order for one run: submitted and ``run_started``, then executed or error and its signal."""

    def __init__(self, scheduler: DjangoScheduler, alias: str) -> None:
        self._scheduler = scheduler
        self._alias = alias

    def claimed(self, rows: list[Execution]) -> None:
        """Slots that were written with the reason why they do not run."""
        for row in rows:
            if row.status == Status.MISSED:
                self._job_event(EVENT_JOB_MISSED, row)
                _send(signals.run_missed, Execution, execution=row)
            elif row.status == Status.SKIPPED:
                if row.reason == NO_ROOM:
                    self._submission(EVENT_JOB_MAX_INSTANCES, row)
                _send(signals.run_skipped, Execution, execution=row)

    def started(self, rows: list[Execution]) -> None:
        for row in rows:
            self._submission(EVENT_JOB_SUBMITTED, row)
            _send(signals.run_started, Execution, execution=row)

    def overdue(self, row: Execution) -> None:
        logger.warning("Execution %s of %r runs longer than %g s", row.id, row.job_id,
                       row.warn_after)  # fmt: skip
        _send(signals.run_overdue, Execution, execution=row)

    def finished(self, row: Execution, result: Result) -> None:
        if result.status is Status.SUCCEEDED:
            self._job_event(EVENT_JOB_EXECUTED, row, retval=result.value)
            _send(signals.run_succeeded, Execution, execution=row)
        elif result.status is Status.LOST:
            logger.error("Execution %s of %r is lost: %s", row.id, row.job_id, result.reason)
            self.lost([row])
        elif result.status is Status.CANCELLED:
            _send(signals.run_cancelled, Execution, execution=row)
        else:
            what = result.traceback or result.exception or result.reason
            logger.error("Execution %s of %r %s\n%s", row.id, row.job_id, row.get_status_display(),
                         what.rstrip())  # fmt: skip
            error = result.error or RuntimeError(result.exception or result.reason)
            self._job_event(EVENT_JOB_ERROR, row, exception=error, traceback=result.traceback)
            _send(signals.run_failed, Execution, execution=row, exception=result.error)

    def lost(self, rows: list[Execution]) -> None:
        for row in rows:
            _send(signals.run_lost, Execution, execution=row)

    def became_leader(self, node_id: Any, term: int) -> None:
        logger.info("Leader: term %d", term)
        _send(signals.became_leader, Lease, node_id=node_id, term=term)

    def lost_leadership(self, node_id: Any, term: int, reason: str) -> None:
        logger.warning("No longer leader of term %d: %s", term, reason)
        _send(signals.lost_leadership, Lease, node_id=node_id, term=term, reason=reason)

    def _job_event(self, code: int, row: Execution, **outcome: Any) -> None:
        event = JobExecutionEvent(
            code, row.job_id, self._alias, row.scheduled_run_time or row.due_at, **outcome
        )
        self._scheduler._dispatch_event(event)

    def _submission(self, code: int, row: Execution) -> None:
        times = [row.scheduled_run_time or row.due_at]
        self._scheduler._dispatch_event(JobSubmissionEvent(code, row.job_id, self._alias, times))


def _send(signal: Any, sender: type, **what: Any) -> None:
    for receiver, response in signal.send_robust(sender=sender, **what):
        if isinstance(response, Exception):
            logger.error("Signal receiver %r failed", receiver, exc_info=response)
