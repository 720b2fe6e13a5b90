"""The same as ``stock``, on these tables: our scheduler, or APScheduler's own on our job store."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def main(folder: Path, first: float, kind: str) -> None:
    import django

    django.setup()
    _migrate_once(folder)
    from .stock import TICKS, tick

    end = first + TICKS - 0.5
    scheduler = _plain() if kind == "plain" else _ours(end)
    scheduler.add_job(
        tick, "interval", seconds=1, id="tick", start_date=datetime.fromtimestamp(first, UTC),
        args=[str(folder / "record")], replace_existing=True,
    )  # fmt: skip
    scheduler.start()  # ours blocks
    time.sleep(max(end - time.time(), 0))
    if kind == "plain":
        scheduler.shutdown()


def _ours(end: float) -> Any:
    from scheduler.schedulers.blocking import DjangoScheduler

    scheduler = DjangoScheduler()
    threading.Timer(end - time.time(), scheduler.stop).start()
    return scheduler


def _plain() -> Any:
    """As django-apscheduler's documentation shows."""
    from apscheduler.schedulers.background import BackgroundScheduler
    from scheduler.jobstores import DjangoJobStore

    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_jobstore(DjangoJobStore(), "default")
    return scheduler


def _migrate_once(folder: Path) -> None:
    from django.core.management import call_command

    try:
        (folder / "begun").touch(exist_ok=False)
    except FileExistsError:  # the other one does it
        while not (folder / "done").exists():
            time.sleep(0.05)
        return
    call_command("migrate", verbosity=0)
    (folder / "done").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
