"""A process with a stock APScheduler scheduler on ``DjangoJobStore``, until SIGINT."""

import sys

import django
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler


def main(notes: str) -> None:
    django.setup()
    from scheduler.jobstores import DjangoJobStore

    from tests import bodies

    scheduler = BlockingScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
    scheduler.add_jobstore(DjangoJobStore(), "default")
    scheduler.add_executor(ProcessPoolExecutor(1), "pool")
    scheduler.add_job(
        bodies.note, "interval", seconds=0.25, args=[notes], id="note", replace_existing=True
    )
    try:
        scheduler.start()
    except KeyboardInterrupt:
        scheduler.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
