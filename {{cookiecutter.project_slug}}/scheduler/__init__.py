"""Scheduled jobs in the database: ``from scheduler import job, scheduler, current_run``.

Importing this starts nothing, needs no app to be ready, and touches no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.utils.functional import SimpleLazyObject

from .declarations import job

if TYPE_CHECKING:
    from .engine.client import SchedulerClient
    from .engine.runner import Run

__all__ = ["current_run", "job", "scheduler"]


def current_run() -> Run | None:
    """The run whose body is calling: ``id``, ``job_id``, ``scheduled_run_time``, ``attempt`` and
    ``term``. None outside of a body."""
    from .engine.runner import current_run

    return current_run()


def _client() -> SchedulerClient:
    from .engine.client import SchedulerClient

    return SchedulerClient()


scheduler = cast("SchedulerClient", SimpleLazyObject(_client))
