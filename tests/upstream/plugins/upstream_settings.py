"""The repository's test settings, loaded by path: here the name ``tests`` is APScheduler's."""

from __future__ import annotations

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
globals().update(
    {
        name: value
        for name, value in runpy.run_path(str(REPOSITORY / "tests" / "settings.py")).items()
        if name.isupper()
    }
)
# The test that starts this process has a test database of its own.
DATABASE = globals()["DATABASES"]["default"]
DATABASE["TEST"] = {"NAME": f"{DATABASE['NAME']}_upstream"}
ROOT_URLCONF = "upstream_settings"
urlpatterns: list[object] = []
APSCHEDULER_ALLOWED_MODULES = ["*"]
