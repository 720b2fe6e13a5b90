"""``docs/jobs.md`` of a project: its examples are jobs, and fire when they say."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import UTC, datetime
from types import ModuleType

import pytest
from scheduler import testing
from scheduler.definitions import declarations, options

from tests.combinations import ROOT

PAGE = (ROOT / "{{cookiecutter.project_slug}}" / "docs" / "jobs.md").read_text(encoding="utf-8")
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)  # a Wednesday
FIRST = {
    "every_night": "2030-05-02 03:00",
    "hourly_on_weekdays_from_9_to_5": "2030-05-01 12:00",
    "first_monday_of_the_month": "2030-05-06 09:00",
    "last_day_of_the_month": "2030-05-31 23:00",
    "last_friday_of_the_month": "2030-05-31 17:00",
    "each_quarter_of_an_hour": "2030-05-01 12:00",
    "as_in_a_crontab": "2030-05-15 03:00",
    "each_quarter": "2030-07-01 06:00",
    "on_weekends": "2030-05-04 10:00",
    "at_three_in_new_york": "2030-05-02 07:00",
}


@pytest.fixture
def page(tmp_path, monkeypatch, settings, declared) -> ModuleType:
    """All examples as one module, which jobs may name."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "jobs_page.py").write_text("\n".join(blocks), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    settings.APSCHEDULER_ALLOWED_MODULES = ["jobs_page"]
    yield importlib.import_module("jobs_page")
    del sys.modules["jobs_page"]


def test_each_trigger_fires_when_its_name_says(page):
    triggers = {each.func.__name__: each.trigger for each in declarations.registered().values()}
    first = {
        name: triggers[name].get_next_fire_time(None, NOON).astimezone(UTC).strftime("%F %H:%M")
        for name in FIRST
    }
    assert first == FIRST
    assert {"sync_feed", "poll_sensors"} <= triggers.keys()


@pytest.mark.django_db
def test_the_test_of_the_page_passes(page):
    with testing.frozen_clock(NOON) as clock:
        page.test_reminder(clock)


def test_every_option_is_on_the_page():
    table = PAGE.partition("## Options")[2].partition("###")[0]
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| [^|]*\|", table, re.M))))
    assert documented == {"id", *options.OF_JOB}


def test_every_outcome_is_on_the_page():
    from scheduler.models.execution import FINAL

    table = PAGE.partition("## Outcomes")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| ([a-z ]+) \|", table, re.M)) - {"outcome"} == {
        str(status.label) for status in FINAL
    }
