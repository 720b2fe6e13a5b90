"""This template's scheduler, as ``manage.py runapscheduler`` starts it."""

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
        from scheduler.engine.scheduler import DjangoScheduler

        self.scheduler = DjangoScheduler()

    def run(self, jobs: list[Planned], **policies: Any) -> None:
        from scheduler import scheduler as client

        for job in jobs:
            client.add_job(**job.arguments(), **policies)
        self._every = {job.id: job.every for job in jobs}
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.stop()

    def finished(self) -> int:
        from scheduler.models import Execution

        return Execution.objects.filter(status="succeeded", finished_at__isnull=False).count()

    def history(self) -> Iterator[Entry]:
        from scheduler.models import Execution

        for row in Execution.objects.order_by("id"):
            every = self._every.get(row.job_id, timedelta())
            for n in range(row.slots):
                yield Entry(row.job_id, row.scheduled_run_time + n * every, row.status)
