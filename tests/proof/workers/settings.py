"""Settings of a scheduler, or of a worker, under chaos: see ``tests.proof.chaos.settings``."""

from __future__ import annotations

import os

from tests.proof.chaos.settings import *  # noqa: F403
from tests.proof.chaos.settings import APSCHEDULER_LEASE_TTL, INSTALLED_APPS, TASKS

APSCHEDULER_WORKERS = os.environ["CHAOS_WORKERS"]
APSCHEDULER_WORKER_TTL = APSCHEDULER_LEASE_TTL
CELERY_BROKER_URL = os.environ.get("CHAOS_BROKER_URL", "")

if APSCHEDULER_WORKERS == "celery":
    from tests.workers import celery_app  # noqa: F401  (as config/__init__.py of a project does)
else:
    INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db"]
    TASKS = {
        **TASKS,
        "workers": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["scheduler"]},
    }
