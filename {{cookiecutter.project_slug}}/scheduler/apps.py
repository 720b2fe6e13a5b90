from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SchedulerConfig(AppConfig):
    """Nothing starts here: a scheduler runs only where ``runapscheduler`` is called."""

    name = "scheduler"
    verbose_name = _("Scheduler")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers them)
        from .monitoring import alerts, checkins

        alerts.connect()
        checkins.connect()
        self.name_models()

    def name_models(self) -> None:
        """Name the models in the user's language; in ``Meta`` that would be a migration."""
        for model, one, many in (
            ("Job", _("job"), _("jobs")),
            ("Execution", _("execution"), _("executions")),
        ):
            options = self.get_model(model)._meta
            options.verbose_name, options.verbose_name_plural = one, many
