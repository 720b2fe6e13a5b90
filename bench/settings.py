"""Django settings of every system that is measured: the same database options for all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "{{cookiecutter.project_slug}}"))

from config.database import database  # noqa: E402

SECRET_KEY = "only for measurements"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = os.environ["BENCH_APPS"].split()

_url = os.environ["BENCH_DATABASE_URL"]
DATABASES = {"default": database(_url, ROOT)}
if os.environ.get("BENCH_STOCK_SQLITE"):
    del DATABASES["default"]["OPTIONS"]  # as `startproject` would have it

if "django_tasks" in INSTALLED_APPS:  # bench.workers
    APSCHEDULER_WORKERS = os.environ.get("BENCH_WORKERS", "")
    CELERY_BROKER_URL = os.environ["BENCH_BROKER_URL"]
    TASKS = {
        "default": {
            "BACKEND": "scheduler.tasks.SchedulerBackend",
            "QUEUES": ["default", "workers"],
        },
        "workers": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["scheduler"]},
    }

APSCHEDULER_ALLOWED_MODULES = ["bench"]
LOGGING_CONFIG = None
