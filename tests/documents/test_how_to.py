"""``docs/how-to``: the examples of each page do what the page says."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from scheduler import scheduler, testing
from scheduler.definitions import declarations
from scheduler.models import Execution, Job

from tests.combinations import ROOT

FOLDER = ROOT / "docs" / "how-to"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md"))
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)  # a Wednesday
# Pages whose examples are commands only; test_commands.py says which tests run those.
WITHOUT_PYTHON = ["from-django-apscheduler", "maintenance", "two-hosts"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def example(tmp_path, monkeypatch, settings, declared) -> Iterator[Callable[[str], ModuleType]]:
    """Import the Python of a page, all blocks as one module, which jobs may name."""
    settings.APSCHEDULER_ALLOWED_MODULES = ["how_to_page"]
    monkeypatch.syspath_prepend(tmp_path)

    def load(page: str) -> ModuleType:
        text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        (tmp_path / "how_to_page.py").write_text("\n\n".join(blocks), encoding="utf-8")
        return importlib.import_module("how_to_page")

    yield load
    sys.modules.pop("how_to_page", None)


@pytest.fixture
def clock() -> Iterator[testing.Clock]:
    with testing.frozen_clock(NOON) as clock:
        yield clock


def first_runs() -> dict[str, datetime]:
    """When each declared job fires first after noon."""
    return {
        each.func.__name__: each.trigger.get_next_fire_time(None, NOON)
        for each in declarations.registered().values()
    }


def test_each_page_is_tried_by_a_test_below():
    text = (ROOT / "tests" / "documents" / "test_how_to.py").read_text(encoding="utf-8")
    tried = re.findall(r'example\("([a-z-]+)"\)', text)
    assert sorted([*tried, *WITHOUT_PYTHON]) == PAGES
    for page in WITHOUT_PYTHON:
        assert "```python" not in (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def test_a_reminder_is_added_moved_and_taken_back(example, clock):
    page = example("reminders")
    page.remind(7, NOON + timedelta(hours=1))
    page.remind(7, NOON + timedelta(hours=2))
    testing.assert_scheduled("remind-7", at=NOON + timedelta(hours=2))
    page.forget(7)
    page.forget(7)
    assert not Job.objects.filter(pk="remind-7").exists()


def test_attempts_at_one_fire_time_share_a_key_and_are_30_seconds_apart(
    example, clock, monkeypatch
):
    page = example("retries")
    keys = []

    def charge(invoice: int, key: str) -> None:
        keys.append(key)
        if len(keys) < 3:
            raise page.PaymentProviderError("no answer")

    monkeypatch.setattr(page, "charge", charge)
    testing.sync_declared()
    clock.tick(minutes=10)
    for _ in range(3):
        testing.run_due()
        clock.tick(seconds=30)
    assert len(keys) == 3
    assert len(set(keys)) == 1
    statuses = Execution.objects.order_by("pk").values_list("status", "attempt")
    assert list(statuses) == [("failed", 1), ("failed", 2), ("succeeded", 3)]


def test_a_long_job_is_declared_with_its_bounds(example):
    page = example("long-jobs")
    (declaration,) = declarations.registered().values()
    said = declaration.options
    assert (said["executor"], said["timeout"], said["warn_after"]) == ("processes", 14_400, 10_800)
    assert page.rebuild_index() == 100


def test_a_tenant_has_a_schedule_in_its_own_zone(example, clock):
    page = example("tenants")
    page.schedule_report(1, 6, "America/New_York")
    page.schedule_report(2, 6, "Asia/Tokyo")
    runs = {job.id: job.next_run_time for job in scheduler.get_jobs()}
    assert runs == {
        "report-1": datetime(2030, 5, 2, 10, tzinfo=UTC),
        "report-2": datetime(2030, 5, 1, 21, tzinfo=UTC),
    }
    page.stop_reports(1)
    assert scheduler.get_job("report-1").next_run_time is None
    with pytest.raises(Exception, match=r"Mars"):
        page.schedule_report(3, 6, "Mars/Olympus")


def test_crontab_lines_are_jobs(example):
    example("from-cron")
    assert first_runs() == {
        "clean_up": datetime(2030, 5, 2, 2, 30, tzinfo=UTC),  # 4:30 in Berlin
        "rotate": datetime(2030, 5, 2, tzinfo=UTC),
        "fetch_mail": datetime(2030, 5, 1, 12, tzinfo=UTC),
    }


def test_entries_of_celery_beat_are_jobs(example):
    page = example("from-celery-beat")
    assert first_runs()["nightly"] == datetime(2030, 5, 2, 4, 30, tzinfo=UTC)
    assert {"nightly", "often"} == first_runs().keys()
    assert page.nightly("sales") is None


def test_a_job_that_computes_has_a_process(example):
    example("outgrowing")
    here, elsewhere = (each.options for each in declarations.registered().values())
    assert (here["executor"], here["timeout"]) == ("processes", 240)
    assert (elsewhere["executor"], elsewhere["on_lost"]) == ("workers", "retry")
