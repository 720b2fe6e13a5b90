"""APScheduler's own job store tests, every case, against ``DjangoJobStore``."""

from __future__ import annotations

from .run import run_upstream

CASES = 48
"""Every case that APScheduler 3.11.3 has for one job store, with pytz and with zoneinfo."""


def test_every_case_of_apscheduler_passes(tmp_path):
    cases = run_upstream("test_jobstores.py", "upstream_jobstores", tmp_path, "-k", "django")

    assert {name: outcome for name, outcome in cases.items() if outcome != "passed"} == {}
    assert len(cases) == CASES
