"""Answers for load balancers and process managers.

``/healthz``: this process answers. ``/readyz``: it can serve: the database answers, all migrations
are applied, and the pages have their static files. ``/healthz/scheduler``: a scheduler leads, and
in time. ``/metrics``: for Prometheus.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from scheduler.monitoring import views

logger = logging.getLogger("home.health")

OF_SCHEDULER = {"/healthz/scheduler": views.health, "/metrics": views.metrics}


class HealthMiddleware:
    """Stands first: a probe comes by address, without a known host name and without HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not path: below a prefix such as /app, that begins with it.
        path = request.path_info
        if path == "/healthz":
            return answer()
        if path == "/readyz":
            return answer(self.obstacle())
        return OF_SCHEDULER.get(path, self.get_response)(request)

    def obstacle(self) -> str:
        """Return why this process cannot serve yet; empty when it can."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            # Reading the migrations takes long, and once applied they stay so.
            self.migrated = self.migrated or not unapplied()
        except DatabaseError as error:
            return f"database: {type(error).__name__}"
        except Exception as error:  # such as a driver that does not take one of the options
            logger.exception("The database cannot be asked")
            return f"database: {type(error).__name__}"
        if not self.migrated:
            return "migrations: not applied, run manage.py migrate"
        return "" if static_files() else "static files: not there, run manage.py collectstatic"


def static_files() -> bool:
    """Tell whether pages can name their static files; in production from what was collected."""
    try:
        staticfiles_storage.url("home/home.css")
    except ValueError:
        return False
    return True


def unapplied() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def answer(obstacle: str = "") -> HttpResponse:
    status = 503 if obstacle else 200
    headers = {"Cache-Control": "no-store"}
    return JsonResponse({"ok": not obstacle, "reason": obstacle}, status=status, headers=headers)
