"""``db_worker`` of django-tasks-db, but for a worker that no run would ever reach."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management import load_command_class
from django.core.management.base import BaseCommand, CommandError, CommandParser

from scheduler.tasks.api import task_backends


class Command(BaseCommand):
    """Starts theirs, unless the settings or the queue's name leave it without work."""

    help = "Starts a worker of django-tasks-db, where APSCHEDULER_WORKERS is django-tasks"

    def run_from_argv(self, argv: list[str]) -> None:
        if settings.APSCHEDULER_WORKERS != "django-tasks":
            sys.exit(
                "No run would ever reach this worker: APSCHEDULER_WORKERS is "
                f"{settings.APSCHEDULER_WORKERS or 'inline'}. Set it to django-tasks in .env, for "
                "the scheduler as well, and run manage.py migrate."
            )
        super().run_from_argv(argv)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return _theirs().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {name.strip() for name in options["queue_name"].split(",")}
        known = task_backends[options["backend_name"]].queues  # none named: all are known
        if known and "*" not in asked and (unknown := asked - known):
            raise CommandError(
                f"--queue-name: nothing is ever enqueued to {', '.join(sorted(unknown))}. The "
                f"queues of the backend {options['backend_name']!r} are "
                f"{', '.join(sorted(known))} (TASKS in config/settings.py)."
            )
        _theirs().handle(*args, **options)


def _theirs() -> BaseCommand:
    return load_command_class("django_tasks_db", "db_worker")
