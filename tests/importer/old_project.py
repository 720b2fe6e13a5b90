"""A project that uses django-apscheduler: makes its tables, and jobs and history in them."""

import os
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import django
from django.conf import settings


def fill() -> None:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger
    from django_apscheduler.jobstores import DjangoJobStore
    from django_apscheduler.models import DjangoJob, DjangoJobExecution

    from tests import bodies

    scheduler = BackgroundScheduler(timezone="Europe/Berlin")
    scheduler.add_jobstore(DjangoJobStore(), "default")
    scheduler.start(paused=True)
    values = [Decimal("1.5"), UUID(int=7), datetime(2030, 1, 1, tzinfo=UTC), (1, 2), {3}, b"x"]
    add = scheduler.add_job
    add(bodies.add, "cron", hour=3, args=[1], id="cron", name="Nightly", max_instances=3)
    add(bodies.add, "interval", minutes=7, jitter=5, kwargs={"a": 1}, id="interval", coalesce=False)
    add(bodies.add, "date", run_date=datetime(2100, 1, 1, tzinfo=UTC), args=[1], id="date")
    add(bodies.add, "interval", hours=1, args=[1], id="paused", next_run_time=None)
    add(bodies.note, OrTrigger([CronTrigger(hour=1), CronTrigger(hour=2)]), args=[values], id="or")
    add(bodies.note, "interval", hours=1, args=[bodies.Thing()], id="object")
    add(bodies.tick, "interval", hours=1, id="moved")
    add(bodies.add, "interval", hours=1, args=[1], id="task")
    DjangoJob.objects.create(id="broken", job_state=b"no pickle")
    # What was a function then is a task of Django's Tasks API now.
    task = pickle.loads(DjangoJob.objects.get(id="task").job_state)
    of_task = pickle.dumps(task | {"func": "tests.tasks.bodies:add"})
    DjangoJob.objects.filter(id="task").update(job_state=of_task)
    state = DjangoJob.objects.get(id="moved").job_state
    DjangoJob.objects.filter(id="moved").update(job_state=state.replace(b":tick", b":tock"))

    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number, status in enumerate(
        ("Executed", "Error!", "Missed!", "Max instances!", "Started execution")
    ):
        at = start + timedelta(hours=number, microseconds=123456)
        ended = status in ("Executed", "Error!")
        DjangoJobExecution.objects.create(
            job_id="cron",
            status=status,
            run_time=at,
            duration=Decimal(2) if ended else None,
            finished=Decimal(at.timestamp() + 2) if ended else None,
            exception="boom" if status == "Error!" else None,
            traceback="Traceback" if status == "Error!" else None,
        )
    DjangoJobExecution.objects.create(job_id="broken", status="Executed", run_time=start)


def main() -> None:
    import tests.settings as ours

    names = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}
    names["INSTALLED_APPS"] = [*names["INSTALLED_APPS"], "django_apscheduler"]
    settings.configure(**names, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", "django_apscheduler", verbosity=0)
    fill()


if __name__ == "__main__":
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    main()
