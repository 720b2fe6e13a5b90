"""The app ``bench.workers``: it loads the Celery app through which a scheduler publishes."""

from __future__ import annotations

import os

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "bench.workers"

    def ready(self) -> None:
        """Load the Celery app."""
        if os.environ.get("BENCH_WORKERS") == "celery":
            from . import celery_app  # noqa: F401
