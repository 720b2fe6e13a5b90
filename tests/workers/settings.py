"""The tests' settings, with workers as the environment says."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, TASKS

APSCHEDULER_WORKERS = os.environ.get("TEST_WORKERS", "")
APSCHEDULER_WORKER_TTL = float(os.environ.get("TEST_WORKER_TTL", "30"))
CELERY_BROKER_URL = os.environ.get("TEST_BROKER_URL", "")
if APSCHEDULER_WORKERS == "django-tasks":
    INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db"]
    TASKS = {
        **TASKS,
        "workers": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["scheduler"]},
    }
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"format": '{{"level": "{levelname}", "message": "{message}"}}',
                            "style": "{"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
}  # fmt: skip

if APSCHEDULER_WORKERS == "celery":
    from tests.workers import celery_app  # noqa: F401  (as config/__init__.py of a project does)
