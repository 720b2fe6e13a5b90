"""Answers for load balancers and process managers.

``/healthz``: this process answers. ``/readyz``: it can serve: the database answers, and all
migrations are applied. ``/healthz/scheduler``: somebody schedules, and in time. ``/metrics``: for
Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from scheduler import health, metrics

OF_SCHEDULER = {"/healthz/scheduler": health.view, "/metrics": metrics.view}


class HealthMiddleware:
    """Stands first: a probe comes by address, without a known host name and without HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return answer()
        if request.path == "/readyz":
            return answer(self.obstacle())
        return OF_SCHEDULER.get(request.path, self.get_response)(request)

    def obstacle(self) -> str:
        """Why this process cannot serve yet; empty when it can."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            # Reading the migrations takes long, and once applied they stay so.
            self.migrated = self.migrated or not unapplied()
        except DatabaseError as error:
            return f"database: {type(error).__name__}"
        return "" if self.migrated else "migrations: not applied, run manage.py migrate"


def unapplied() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def answer(obstacle: str = "") -> HttpResponse:
    status = 503 if obstacle else 200
    headers = {"Cache-Control": "no-store"}
    return JsonResponse({"ok": not obstacle, "reason": obstacle}, status=status, headers=headers)
