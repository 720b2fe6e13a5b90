"""Settings that would break a promise are refused, with the reason."""

from __future__ import annotations

import pytest
from scheduler.checks import check_settings


def test_the_defaults_pass():
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "least", "reason"),
    [
        ("MAX_WORKERS", 1, "no job could run"),
        ("PROCESSES", 1, "no pool of processes"),
        ("CATCH_UP_LIMIT", 1, "would never run"),
        ("KEEP_PER_JOB", 1, "no history"),
        ("MAX_LOG_CHARS", 2, "half of it"),
        ("MAX_RESULT_CHARS", 4, "null"),
    ],
)
def test_a_count_that_is_too_small_is_refused(settings, name, least, reason):
    setattr(settings, f"APSCHEDULER_{name}", least)
    assert check_settings() == []
    setattr(settings, f"APSCHEDULER_{name}", least - 1)
    (error,) = check_settings()
    assert f"APSCHEDULER_{name} must be at least {least}" in error.msg
    assert reason in error.msg


@pytest.mark.parametrize("days", [0, -1])
def test_history_is_kept_for_some_time(settings, days):
    settings.APSCHEDULER_KEEP_DAYS = days
    (error,) = check_settings()
    assert "APSCHEDULER_KEEP_DAYS must be more than 0" in error.msg
