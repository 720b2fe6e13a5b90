"""``manage.py backup``: the database into a file, while web and scheduler go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from home.backups import SUFFIXES, backup


class Command(BaseCommand):
    help = "Write the database to a file, while it is in use. manage.py restore reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="default: backups/, by the time")

    def handle(self, *args: Any, **options: Any) -> None:
        name = f"{timezone.now():%Y%m%d-%H%M%S}{SUFFIXES[connection.vendor]}"
        path = options["file"] or settings.BASE_DIR / "backups" / name
        backup(connection, path)
        self.stdout.write(f"{path}")
