"""django-apscheduler's module name, so that its users change only the package's."""

from __future__ import annotations

from .jobstore import DjangoJobStore
from .memorystore import DjangoMemoryJobStore
from .util import register_events, register_job

__all__ = ["DjangoJobStore", "DjangoMemoryJobStore", "register_events", "register_job"]
