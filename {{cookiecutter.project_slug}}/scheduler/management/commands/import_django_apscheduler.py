"""``manage.py import_django_apscheduler``: jobs and history from django-apscheduler's tables."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import conf
from ...moving import importing, tables


class Command(BaseCommand):
    help = (
        "Bring jobs and history over from django-apscheduler's tables, which stay as they are. "
        "Stop its scheduler first. Can be run again: what is there already is left alone. "
        "Exit code 1: some jobs could not be brought over; the others are here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )
        parser.add_argument("--database", help="alias of the database that has the old tables")
        parser.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        using = conf().DATABASE
        try:
            report = importing.run(options["database"] or using, using, options["dry_run"])
        except tables.TablesMissing as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report), indent=2, ensure_ascii=False))
        else:
            self._tell(report, options["dry_run"])
        if report.refused:
            raise SystemExit(1)

    def _tell(self, report: importing.Report, dry_run: bool) -> None:
        write = self.stdout.write
        for job_id in report.imported:
            write(f"Job {job_id}: brought over")
        for job_id, why in report.quarantined.items():
            write(f"Job {job_id}: brought over, but cannot run here yet. {why}")
        for job_id in report.present:
            write(f"Job {job_id}: was brought over before, left as it is")
        for job_id, why in report.refused.items():
            self.stderr.write(f"Job {job_id}: not brought over. {why}")
        write(
            f"{report.executions} executions brought over, {report.executions_present} were here."
        )
        if report.executions:
            days = conf().KEEP_DAYS
            write(f"The scheduler deletes those older than APSCHEDULER_KEEP_DAYS ({days:g} days).")
        if dry_run:
            write("This was a dry run: nothing was written.")
