"""Check-ins at Sentry's cron monitors, for the jobs that ``APSCHEDULER_SENTRY_MONITORS`` names.

A monitor notices what no alert of a scheduler can tell: that none is there to send one. Only the
monitor's name, the outcome and the duration are sent, by Sentry's own thread.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid5

from .. import signals
from ..conf import conf
from ..engine.ledger.retries import may_retry
from ..models import Execution
from ..models.execution import Status

ENDS = (signals.run_succeeded, signals.run_failed, signals.run_lost, signals.run_cancelled)


def connect() -> None:
    """Connect the receivers, if a job has a monitor; called once, when the app is ready."""
    if conf().SENTRY_MONITORS:
        signals.run_started.connect(on_started)
        for signal in ENDS:
            signal.connect(on_ended)


def on_started(execution: Execution, **_: Any) -> None:
    """Check in for a run that begins."""
    _check_in(execution, "in_progress")


def on_ended(execution: Execution, **_: Any) -> None:
    """Check in for a run that has ended, unless it is retried: it may yet succeed."""
    if not may_retry(execution.status, execution):
        status = "ok" if execution.status == Status.SUCCEEDED else "error"
        took = execution.duration
        _check_in(execution, status, None if took is None else took.total_seconds())


def _check_in(execution: Execution, status: str, seconds: float | None = None) -> None:
    slot = execution.scheduled_run_time
    monitor = conf().SENTRY_MONITORS.get(execution.job_id)
    if monitor is None or slot is None:  # a run by hand is not what the monitor waits for
        return
    try:
        from sentry_sdk.crons import capture_checkin
    except ImportError:
        return
    capture_checkin(
        monitor,
        # The same for all attempts at a slot, in whichever process they run or are found lost.
        check_in_id=uuid5(execution.job_uid, slot.isoformat()).hex,
        status=status,
        duration=seconds,
    )
