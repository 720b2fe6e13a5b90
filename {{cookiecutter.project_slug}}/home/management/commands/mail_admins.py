"""``echo TEXT | manage.py mail_admins SUBJECT``: how ``deploy/systemd`` reports a failed unit."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.mail import mail_admins
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Mail what stands on the standard input to ADMINS."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ADMINS:
            raise CommandError("ADMINS is empty: nobody to mail to. Set it in .env.")
        mail_admins(options["subject"], sys.stdin.read())
        self.stdout.write(f"Mailed {len(settings.ADMINS)} admins.")
