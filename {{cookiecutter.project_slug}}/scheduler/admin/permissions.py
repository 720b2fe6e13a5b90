"""Who may do what: Django's view, add, change and delete, and beside them run and pause."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class JobPermissions:
    """For ``@admin.action(permissions=[...])``."""

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.run_job")

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.pause_job")
