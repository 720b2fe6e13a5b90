"""Tasks of Django's Tasks API as executions without a job, in the caller's transaction.

``scheduler.tasks.SchedulerBackend`` is the ``BACKEND`` that ``TASKS`` names. It is imported when
it is first asked for: a project on Django 5.2 need not have the Tasks API at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import SchedulerBackend

__all__ = ["SchedulerBackend"]


def __getattr__(name: str) -> Any:
    if name != "SchedulerBackend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .backend import SchedulerBackend

    return SchedulerBackend
