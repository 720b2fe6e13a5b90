"""The project's settings, always those of development, whatever .env says."""

import os

from tests.environment import HIDDEN

# An empty variable counts as not set, and hides the one in .env.
os.environ |= dict.fromkeys(HIDDEN, "") | {"DEBUG": "true", "DEBUG_TOOLBAR": "false"}

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR, DATABASES

APSCHEDULER_ALLOWED_MODULES = ["tests"]  # tests.jobs
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file: threads cannot share a database in memory in WAL mode.
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / "test.sqlite3")}
