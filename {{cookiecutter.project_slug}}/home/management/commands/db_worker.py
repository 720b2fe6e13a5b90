"""``db_worker`` where ``APSCHEDULER_WORKERS`` asks for no such worker: says what is missing."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """With ``APSCHEDULER_WORKERS=django-tasks``, django-tasks-db's own takes its place."""

    help = "Starts a worker of django-tasks-db, where APSCHEDULER_WORKERS is django-tasks"

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(
            "No run would ever reach this worker: APSCHEDULER_WORKERS is "
            f"{settings.APSCHEDULER_WORKERS or 'inline'}. Set it to django-tasks in .env, for the "
            "scheduler as well, and run manage.py migrate."
        )
