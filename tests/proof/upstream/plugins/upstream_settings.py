"""The repository's test settings, loaded by path: here the name ``tests`` is APScheduler's."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
globals().update(
    {
        name: value
        for name, value in runpy.run_path(str(REPOSITORY / "tests" / "settings.py")).items()
        if name.isupper()
    }
)
# The test that starts this process has a test database of its own, and so has the other module,
# which another worker may run at the same time.
DATABASE = globals()["DATABASES"]["default"]
DATABASE["TEST"] = {"NAME": f"{DATABASE['NAME']}_upstream_{os.getpid()}"}
ROOT_URLCONF = "upstream_settings"
urlpatterns: list[object] = []
APSCHEDULER_ALLOWED_MODULES = ["*"]
