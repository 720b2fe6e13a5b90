"""``home/jobs.py`` of the booted projects: a job a second, and one that runs until it is let go."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.conf import settings
from scheduler import current_run, job

FOLDER = Path(settings.DATABASES["default"]["NAME"]).parent


@job("interval", seconds=1, id="tick")
def tick() -> None:
    with (FOLDER / "bodies.log").open("a") as record:
        record.write(f"{current_run().scheduled_run_time.isoformat()} {os.getpid()}\n")


@job("date", run_date="2099-01-01", id="held")
def held() -> str:
    (FOLDER / "held").touch()
    while not (FOLDER / "let-go").exists():
        time.sleep(0.02)
    return "let go"


@job("date", run_date="2099-01-01", id="broken")
def broken() -> None:
    raise ValueError("no such order")
