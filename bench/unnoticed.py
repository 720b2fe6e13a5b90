"""When a running django-apscheduler acts on changes that another process commits.

Its scheduler is started as its README says and sleeps until its own next job. The changes are made
as its users make them, from a scheduler in another process that is started paused.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench import databases
from bench.databases import LABELS
from bench.process import Beside

APP = "django_apscheduler"
WAYS = ("add", "edit", "raw SQL", "run now")
SLEEP = 25.0
"""Seconds from the scheduler's start to its own next job, which nobody changes."""
AWAKE = 3.0
"""Seconds until the scheduler certainly sleeps."""
PATIENCE = SLEEP + 10
LOOK = 0.05


def table(kinds: Sequence[str]) -> list[str]:
    lines = [
        "django-apscheduler beside it: seconds from the commit to the start, where its own next job"
        f" comes {SLEEP - AWAKE:g} s after the commit and wakes it. It notices nothing before.",
        "",
        f"| database | {' | '.join(WAYS)} |",
        f"|---|{'---|' * len(WAYS)}",
    ]
    for kind in kinds:
        with databases.fresh(kind) as variables:
            beside = Beside(APP, variables)
            beside.run("django", "migrate", "-v0")
            beside.run("bench.unnoticed", "prepare")
            with beside.running("bench.unnoticed", "schedule"):
                time.sleep(AWAKE)
                said = beside.run("bench.unnoticed", "change")
        lines.append(f"| {LABELS[kind]} | {said.strip()} |")
    return lines


def main() -> None:
    import django

    django.setup()
    {"prepare": _prepare, "schedule": _schedule, "change": _change}[sys.argv[1]]()


def _prepare() -> None:
    """Add the jobs that are there when the scheduler starts: due in an hour, however late."""
    from bench.work import noop

    scheduler = _paused()
    for way in WAYS:
        if way != "add":
            scheduler.add_job(noop, "interval", hours=1, id=way, misfire_grace_time=None)


def _schedule() -> None:
    from apscheduler.schedulers.blocking import BlockingScheduler
    from django_apscheduler.jobstores import DjangoJobStore

    from bench.work import noop

    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_jobstore(DjangoJobStore(), "default")
    next_job = datetime.now(UTC) + timedelta(seconds=SLEEP)
    scheduler.add_job(noop, "date", run_date=next_job, id="its own")
    scheduler.start()


def _change() -> None:
    """Make each change, and print for each how long it took."""
    from django_apscheduler.models import DjangoJob, DjangoJobExecution

    from bench.work import noop

    scheduler = _paused()
    now = datetime.now(UTC)
    scheduler.add_job(noop, "interval", seconds=1, id="add")  # of a date no history is kept
    scheduler.reschedule_job("edit", trigger="interval", seconds=1)
    DjangoJob.objects.filter(id="raw SQL").update(next_run_time=now)
    scheduler.modify_job("run now", next_run_time=now)
    committed, felt = time.monotonic(), dict[str, float]()
    while len(felt) < len(WAYS) and time.monotonic() < committed + PATIENCE:
        for way in DjangoJobExecution.objects.values_list("job_id", flat=True):
            felt.setdefault(way, time.monotonic() - committed)
        time.sleep(LOOK)
    print(" | ".join(f"{felt[way]:.1f}" if way in felt else "never" for way in WAYS))


def _paused():  # type: ignore[no-untyped-def]
    from apscheduler.schedulers.background import BackgroundScheduler
    from django_apscheduler.jobstores import DjangoJobStore

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore(DjangoJobStore(), "default")
    scheduler.start(paused=True)
    return scheduler  # never shut down: that would take up what is due, and throw it away


if __name__ == "__main__":
    main()
