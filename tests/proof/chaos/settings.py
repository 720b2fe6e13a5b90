"""Settings of a scheduler process under chaos; what differs by node comes from its environment."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.proof.chaos"]

APSCHEDULER_LEASE_TTL = float(os.environ.get("CHAOS_TTL", "6"))
APSCHEDULER_LEASE_RENEW = APSCHEDULER_LEASE_TTL / 4
APSCHEDULER_LEASE_MARGIN = APSCHEDULER_LEASE_TTL / 4
APSCHEDULER_PROCESSES = 1
APSCHEDULER_KEEP_DAYS = 3.0
APSCHEDULER_KEEP_PER_JOB = 1_000_000
APSCHEDULER_DRAIN_TIMEOUT = 10.0

LOGGING = {
    "version": 1,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": "INFO" if "CHAOS_RECORD" in os.environ else "WARNING",
    },
}
