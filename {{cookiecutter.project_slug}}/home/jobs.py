"""Jobs. Any app's ``jobs.py`` is found; the functions stay plain functions that tests can call."""

from __future__ import annotations

import logging

from django.core.management import call_command

from scheduler import job

logger = logging.getLogger(__name__)


@job("cron", minute="*")
def heartbeat() -> str:
    """Log that the scheduler runs. Delete it when your own jobs do."""
    logger.info("The scheduler runs.")
    return "alive"


# % if cookiecutter.task_backend == "django-tasks"
@job("cron", hour=3, minute=20)
def prune_messages() -> None:
    """django-tasks-db keeps a row of each message; what became of a run is in the history."""
    call_command("prune_db_task_results", backend="workers", queue_name="*", min_age_days=1)


# % endif
@job("cron", hour=3, minute=10)
def clear_sessions() -> None:
    """Expired sessions stay in the database until somebody deletes them."""
    call_command("clearsessions")
