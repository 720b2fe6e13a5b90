"""The job store under its documented name."""

from __future__ import annotations

from .jobstores.django import DjangoJobStore

__all__ = ["DjangoJobStore"]
