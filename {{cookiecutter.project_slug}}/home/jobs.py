"""Jobs. Any app's ``jobs.py`` is found; the functions stay plain functions that tests can call."""

from __future__ import annotations

import logging

from django.core.management import call_command

from scheduler import job
from scheduler.models import DjangoJobExecution

logger = logging.getLogger(__name__)

WEEK = 604_800  # seconds


@job("cron", minute="*")
def heartbeat() -> str:
    """Shows that the scheduler runs. Delete it when your own jobs do."""
    logger.info("The scheduler runs.")
    return "alive"


@job("cron", hour=3, minute=10)
def clear_sessions() -> None:
    """Expired sessions stay in the database until somebody deletes them."""
    call_command("clearsessions")


@job("cron", hour=3, minute=20)
def delete_old_executions() -> int:
    """Keep the history of a week."""
    return DjangoJobExecution.objects.delete_old_job_executions(max_age=WEEK)
