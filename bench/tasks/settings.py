"""Django settings of each backend: the same database options for all of them."""

from __future__ import annotations

import os
import sys

from bench.process import ROOT
from bench.tasks.systems import SYSTEMS

sys.path.insert(0, str(ROOT / "{{cookiecutter.project_slug}}"))

from config.database import database

SYSTEM = SYSTEMS[os.environ["BENCH_TASKS_SYSTEM"]]

SECRET_KEY = "only for measurements"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [SYSTEM.app]
TASKS = {"default": SYSTEM.task_backend}

# Connections are kept, and not asked whether they still work: neither is to be measured.
DATABASES = {
    "default": database(os.environ["BENCH_DATABASE_URL"], ROOT)
    | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
}

APSCHEDULER_ALLOWED_MODULES = ["bench"]
LOGGING_CONFIG = None
