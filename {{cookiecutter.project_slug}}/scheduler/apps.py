from __future__ import annotations

from django.apps import AppConfig


class SchedulerConfig(AppConfig):
    """Nothing starts here: a scheduler runs only where ``runapscheduler`` is called."""

    name = "scheduler"
    verbose_name = "Scheduler"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import alerts, checks  # noqa: F401  (registers them)

        alerts.connect()
