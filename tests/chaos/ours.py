"""The same as ``stock``, with this scheduler: run in each of two processes."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path


def main(folder: Path, first: float) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    from scheduler.engine.scheduler import DjangoScheduler
    from scheduler.models import Job

    from .stock import TICKS, tick

    lock = folder / "migrated"
    try:
        lock.touch(exist_ok=False)  # one of the two makes the tables
        call_command("migrate", verbosity=0)
        (folder / "ready").touch()
    except FileExistsError:
        while not (folder / "ready").exists():
            time.sleep(0.05)
    scheduler = DjangoScheduler()
    threading.Timer(first + TICKS - 0.5 - time.time(), scheduler.stop).start()
    scheduler.add_job(
        tick, "interval", seconds=1, id="tick", start_date=datetime.fromtimestamp(first, UTC),
        args=[str(folder / "record")], replace_existing=True,
    )  # fmt: skip
    scheduler.start()
    assert Job.objects.exists()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
