"""Scheduled jobs in the database: ``from scheduler import job, scheduler, current_run``.

Importing this starts nothing, needs no app to be ready, and touches no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.signals import setting_changed
from django.utils.functional import SimpleLazyObject, empty

from .conf import PREFIX
from .definitions.declarations import job

if TYPE_CHECKING:
    from .engine.executors.runner import Run
    from .schedulers.client import SchedulerClient

__all__ = ["current_run", "job", "scheduler"]


def current_run() -> Run | None:
    """Return the run whose job function is calling, or None outside of one.

    Its attributes: ``id``, ``job_id``, ``scheduled_run_time``, ``attempt`` and ``term``.
    """
    from .engine.executors.runner import current_run

    return current_run()


def _client() -> SchedulerClient:
    from .schedulers.client import SchedulerClient

    return SchedulerClient()


scheduler = cast("SchedulerClient", SimpleLazyObject(_client))


def _forget_client(*, setting: str, **_: Any) -> None:
    """Make the client anew when a test overrides a setting of the scheduler."""
    if setting.startswith(PREFIX):
        cast("Any", scheduler)._wrapped = empty


setting_changed.connect(_forget_client)
