"""``manage.py restore FILE``: the database as ``manage.py backup`` wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from home.backups import restore


class Command(BaseCommand):
    help = "Replace the database by a backup. Stop web and scheduler first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--noinput", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = connection.settings_dict["NAME"]
        if not options["noinput"]:
            self.stdout.write(
                f"This replaces all that is in {name}. Web and scheduler must be off."
            )
            if input("Type yes to go on: ") != "yes":
                raise CommandError("Nothing was changed.")
        restore(connection, options["file"])
        self.stdout.write(f"Restored {name}. Run manage.py migrate if the code is newer.")
