"""The template's own scheduler, as ``manage.py runapscheduler`` starts it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bench.systems import Entry
from bench.work import Planned


class System:
    apps = "scheduler"
    keeps_history = True

    def prepare(self) -> None:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from scheduler.schedulers.blocking import DjangoScheduler

        self.scheduler = DjangoScheduler()

    def run(self, jobs: list[Planned], **policies: Any) -> None:
        from scheduler import scheduler as client

        client.add_jobs([{**job.arguments(), **policies} for job in jobs])
        self._every = {job.id: job.every for job in jobs}
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.stop()

    def finished(self) -> int:
        from scheduler.models import Execution

        return Execution.objects.filter(status="succeeded", finished_at__isnull=False).count()

    def history(self) -> Iterator[Entry]:
        from scheduler.models import Execution

        # There may be a million others.
        for row in Execution.objects.filter(job_id__in=self._every).order_by("id").iterator():
            every = self._every.get(row.job_id, timedelta())
            for n in range(row.slots):
                yield Entry(row.job_id, row.scheduled_run_time + n * every, row.status)
