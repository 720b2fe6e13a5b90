"""The Celery app of ``bench.workers``: ``celery -A bench.workers.celery_app worker``."""

from __future__ import annotations

import os

from celery import Celery

import bench.settings  # noqa: F401  (puts the template on the path)
from bench.workers.stamps import stamp

app = Celery("bench", broker=os.environ["BENCH_BROKER_URL"])
if os.environ.get("BENCH_WORKERS") == "celery":
    from scheduler.workers.celery import configure

    configure(app)


@app.task(name="bench.stamp", ignore_result=True)
def alone() -> None:
    """Stamp, as a task of Celery's own."""
    stamp()
