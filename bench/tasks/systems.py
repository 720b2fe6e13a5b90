"""The backends that are compared, each as its own documentation starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OURS, OX, TASKS_DB = "ours", "django_ox", "django_tasks_db"

LOCK_TIMEOUT = 5
"""Seconds after which django-ox gives up a worker for dead; its default is 300."""
POLL = "0.05"
"""Seconds between two looks of an idle worker, so that no default of a second is measured."""


@dataclass(frozen=True)
class System:
    label: str
    app: str
    task_backend: Mapping[str, Any]
    """``TASKS["default"]``."""
    workers: Mapping[str, tuple[list[str], ...]]
    """Ways to start it: for each process the words after ``python -m django``."""
    table: str
    unfinished: str
    """SQL condition: it is still to be run, or runs."""
    explained: str
    """SQL condition: it did not run to its end, and its row says why."""


OX_WORKER = ["ox_worker", "--interval", POLL, "-v0"]
DB_WORKER = ["db_worker", "--interval", POLL, "--no-startup-delay", "--no-reload", "-v0"]
ROUGHLY = "status IN ('READY', 'RUNNING')"

SYSTEMS = {
    OURS: System(
        "this template",
        "scheduler",
        {"BACKEND": "scheduler.tasks.SchedulerBackend"},
        {"1 process, 10 threads": (["runapscheduler"],)},
        "scheduler_execution",
        "status IN ('queued', 'running')",
        "status = 'lost'",
    ),
    OX: System(
        "django-ox",
        "django_ox",
        {"BACKEND": "django_ox.backend.OxBackend", "OPTIONS": {"LOCK_TIMEOUT": LOCK_TIMEOUT}},
        {
            "1 process, 1 thread": (OX_WORKER,),
            "1 process, 4 threads": ([*OX_WORKER, "--concurrency", "4"],),
            "1 process, 10 threads": ([*OX_WORKER, "--concurrency", "10"],),
            "4 processes": ([*OX_WORKER, "--processes", "4"],),
        },
        "django_ox_oxtask",
        ROUGHLY,
        "status = 'LOST'",
    ),
    TASKS_DB: System(
        "django-tasks-db",
        "django_tasks_db",
        {"BACKEND": "django_tasks_db.DatabaseBackend"},
        {"1 process": (DB_WORKER,), "4 processes": (DB_WORKER,) * 4},
        "django_tasks_database_dbtaskresult",
        ROUGHLY,
        "FALSE",
    ),
}
