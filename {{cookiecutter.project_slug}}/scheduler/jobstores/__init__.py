"""The job stores, under django-apscheduler's module name: its users change only the package."""

from __future__ import annotations

from ..util import register_events, register_job
from .django import DjangoJobStore
from .memory import DjangoMemoryJobStore

__all__ = ["DjangoJobStore", "DjangoMemoryJobStore", "register_events", "register_job"]
