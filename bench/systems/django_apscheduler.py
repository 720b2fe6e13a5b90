"""django-apscheduler, as its README starts it: a BlockingScheduler on its DjangoJobStore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.systems import Entry
from bench.work import Planned

OUTCOMES = {
    "Executed": "succeeded",
    "Error!": "failed",
    "Missed!": "missed",
    "Max instances!": "skipped",
    "Started execution": "running",
}


class System:
    apps = "django_apscheduler"
    keeps_history = True

    def prepare(self) -> None:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from apscheduler.schedulers.blocking import BlockingScheduler
        from django_apscheduler.jobstores import DjangoJobStore

        self.scheduler = BlockingScheduler(timezone="UTC")
        self.scheduler.add_jobstore(DjangoJobStore(), "default")

    def run(self, jobs: list[Planned], **policies: Any) -> None:
        for job in jobs:
            self.scheduler.add_job(**job.arguments(), **policies)
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.shutdown()

    def finished(self) -> int:
        from django_apscheduler.models import DjangoJobExecution

        return DjangoJobExecution.objects.filter(status="Executed").count()

    def history(self) -> Iterator[Entry]:
        from django_apscheduler.models import DjangoJobExecution

        for row in DjangoJobExecution.objects.order_by("id"):
            yield Entry(row.job_id, row.run_time, OUTCOMES[row.status])
