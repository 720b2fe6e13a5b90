"""A process with APScheduler's own scheduler on our job store, in place of ``runapscheduler``."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC


def main() -> None:
    import django

    django.setup()
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler
    from scheduler.jobstores import DjangoJobStore

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    executors = {"default": ThreadPoolExecutor(10), "processes": ThreadPoolExecutor(1)}
    scheduler = BackgroundScheduler(timezone=UTC, executors=executors)
    scheduler.add_jobstore(DjangoJobStore(), "default")
    scheduler.start()
    stop.wait()
    scheduler.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
