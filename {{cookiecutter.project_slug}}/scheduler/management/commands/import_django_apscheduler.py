"""``manage.py import_django_apscheduler``: import django-apscheduler's jobs and history."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from ...conf import conf
from ...formatting import escaped
from ...importer import importing, tables
from .. import streams
from ..subcommands.output import json_text


class Command(BaseCommand):
    help = (
        "Import jobs and history from django-apscheduler's tables, which are left unchanged. "
        "Stop its scheduler first. Can be run again: what was imported before is left alone. "
        "Exit code 1: some jobs or executions could not be imported; the others were."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would be imported; write nothing"
        )
        parser.add_argument("--database", help="alias of the database that has the old tables")
        parser.add_argument("--json", action="store_true", help="print JSON")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        streams.escape_on_stdout()
        using = conf().DATABASE
        try:
            report = importing.run(options["database"] or using, using, options["dry_run"])
        except tables.TablesMissing as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json_text(asdict(report), streams.takes_all_letters(self.stdout)))
        else:
            self._print(report, options["dry_run"])
        if report.refused or report.refused_executions:
            raise SystemExit(1)

    def _print(self, report: importing.ImportReport, dry_run: bool) -> None:
        write, imported = self.stdout.write, "would be imported" if dry_run else "imported"
        for job_id in report.imported:
            write(f"Job {job_id}: {imported}")
        for job_id, why in report.quarantined.items():
            write(
                escaped(f"Job {job_id}: {imported}, but quarantined: it cannot run here yet. {why}")
            )
        for job_id in report.present:
            write(f"Job {job_id}: imported before, left unchanged")
        for job_id, why in report.refused.items():
            self.stderr.write(escaped(f"Job {job_id}: not imported. {why}"))
        for number, why in report.refused_executions.items():
            self.stderr.write(escaped(f"Execution {number}: not imported. {why}"))
        write(f"{report.executions} executions {imported}, {report.executions_present} before.")
        if report.executions:
            days = conf().KEEP_DAYS
            write(f"The scheduler deletes those older than APSCHEDULER_KEEP_DAYS ({days:g} days).")
        if left := len(report.refused) + len(report.refused_executions):
            self.stderr.write(f"{left} of them not imported, for the reasons above: exit code 1.")
        if dry_run:
            write("Dry run: nothing was written.")
