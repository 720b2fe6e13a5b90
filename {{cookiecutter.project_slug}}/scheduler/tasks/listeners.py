"""The Tasks API's signals of runs: sent by the scheduler's loop, after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.dispatch import Signal

from ..conf import conf
from ..models import Execution
from ..models.execution import Status
from . import results
from .api import (
    LOGGER,
    TaskResultDoesNotExist,
    task_backends,
    task_finished,
    task_started,
)

logger = logging.getLogger("scheduler.tasks")


def is_heard(signal: Signal, level: int) -> bool:
    """Return whether a receiver does anything.

    Args:
        level: at which the API's own receiver, which is always there, writes a line.
    """
    if len(signal.receivers) > 1:
        return True
    return bool(signal.receivers) and logging.getLogger(LOGGER).isEnabledFor(level)


def send_started(row: Callable[[], Execution]) -> None:
    """Tell that a run has started.

    Args:
        row: makes its row. That takes longer than the rest, and mostly nobody listens.
    """
    _send(task_started, row, logging.INFO)


def send_finished(status: str, row: Callable[[], Execution]) -> None:
    """Tell that a task has ended, for better or worse, and is not tried again.

    Args:
        status: with which it ended.
        row: makes its row.
    """
    succeeded = status == Status.SUCCEEDED
    _send(task_finished, row, logging.INFO if succeeded else logging.ERROR)


def _send(signal: Signal, make: Callable[[], Execution], level: int) -> None:
    if not is_heard(signal, level):
        return
    row = make()
    try:
        result = results.of_row(row, conf().DATABASE)
        sender = type(task_backends[row.task_backend])
    except (TaskResultDoesNotExist, LookupError, ValueError) as error:
        logger.warning("No signal for execution %s: %s", row.pk, error)
        return
    for receiver, response in signal.send_robust(sender=sender, task_result=result):
        if isinstance(response, Exception):
            logger.error("Signal receiver %r failed", receiver, exc_info=response)
