"""The smoke test's jobs, and what they and the ledger say of their runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.project import FOLDER, Project
from demo.steps import StepError

JOB, HEAVY = "smoke.tick", "smoke.heavy"
JOBS = '''

@job("interval", seconds=1, id="smoke.tick", coalesce=False)
def tick() -> None:
    """Each second, for the smoke test."""
    from scheduler import current_run

    with open("smoke.tick", "a") as record:
        record.write(f"{current_run().scheduled_run_time.isoformat()}\\n")


@job("interval", seconds=1, id="smoke.heavy", executor="workers", coalesce=False, max_instances=20)
def heavy() -> None:
    """Each second, wherever heavy jobs run."""
    from scheduler import current_run

    with open("smoke.heavy", "a") as record:
        record.write(f"{current_run().scheduled_run_time.isoformat()}\\n")
'''


def add_jobs(project: Project) -> None:
    """Add the smoke test's jobs, which are the same whatever ``task_backend`` says."""
    with (project.folder / "home" / "jobs.py").open("a", encoding="utf-8") as jobs:
        jobs.write(JOBS)


def history(project: Project, job: str = JOB) -> list[dict[str, Any]]:
    dumped = json.loads(project.manage("dumpdata", "scheduler.execution"))
    return [row["fields"] for row in dumped if row["fields"]["job_id"] == job]


def bodies(project: Project, job: str = JOB) -> list[str]:
    """Return the slots for which the job's function said that it ran."""
    record = Path(project.folder / job)
    return record.read_text().splitlines() if record.exists() else []


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StepError(f"waited {seconds:.0f} s in vain; see {FOLDER / 'smoke.log'}")
        time.sleep(0.1)
