"""Two schedulers on one store: APScheduler's own way, and ours. Which ticks run twice?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.settings import ROOT

TICKS = 15
BEGIN_AFTER = 6.0
"""Seconds for all processes to start before the first tick."""


def compare(folder: Path) -> dict[str, int]:
    """Tick once a second, ``TICKS`` times, under two schedulers of each kind."""
    return {
        "ticks": TICKS,
        "stock_twice": _twice(_record(folder / "stock", "tests.proof.chaos.stock")),
        "plain_twice": _twice(_record(folder / "plain", "tests.proof.chaos.ours")),
        "ours_twice": _twice(_record(folder / "ours", "tests.proof.chaos.ours")),
    }


def tick(record: str) -> None:
    """The body: the second in which it ran."""
    with open(record, "a") as file:
        file.write(f"{round(time.time())}\n")


def _record(folder: Path, program: str) -> list[str]:
    folder.mkdir()
    first = round(time.time() + BEGIN_AFTER)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.proof.chaos.settings",
        "TEST_DATABASE_URL": f"sqlite:///{folder / 'jobs.sqlite3'}",
    }
    record = folder / "record"
    record.touch()
    command = [sys.executable, "-m", program, str(folder), str(first), folder.name]
    with (folder / "log").open("w") as log:
        pair = [
            subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
            for _ in range(2)
        ]
        for process in pair:
            process.wait(BEGIN_AFTER + TICKS + 30)
    return record.read_text().split()


def _twice(lines: list[str]) -> int:
    if not lines:
        raise RuntimeError("nothing ticked at all")
    return sum(count > 1 for count in Counter(lines).values())


def main(folder: Path, first: float) -> None:
    """What APScheduler's documentation shows, in one process; the other does the same."""
    from datetime import UTC, datetime

    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_jobstore("sqlalchemy", url=f"sqlite:///{folder / 'stock.sqlite3'}")
    first_at = datetime.fromtimestamp(first, UTC)
    try:
        scheduler.start()
        scheduler.add_job(
            tick, "interval", seconds=1, id="tick", start_date=first_at,
            args=[str(folder / "record")], replace_existing=True,
        )  # fmt: skip
    except Exception as error:  # both made the table at once: the store exists
        print(type(error).__name__, error)
    time.sleep(max(first + TICKS - 0.5 - time.time(), 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
