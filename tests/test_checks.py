"""Settings that would break a promise are refused, with the reason."""

from __future__ import annotations

import importlib
import logging
import sys

import pytest
from django.conf import settings as django_settings
from django.test import modify_settings
from scheduler.checks import check_jobs, check_settings
from scheduler.definitions import declarations
from scheduler.triggers.timezones import zone_if_known


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


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MAX_WORKERS", "10", "a whole number, not '10'"),
        ("MAX_WORKERS", True, "a whole number, not True"),
        ("MAX_WORKERS", 10.5, "a whole number"),
        ("MAX_WORKERS", 10**20, "a whole number of at most"),
        ("DRAIN_TIMEOUT", None, "a number, not None"),
        ("DRAIN_TIMEOUT", float("nan"), "a number of at most"),
        ("LEASE_TTL", float("inf"), "a number of at most"),
        ("KEEP_DAYS", 10**6, "a number of at most 36,500"),
        ("ALERTS", "no", "True or False"),
        ("ALLOWED_MODULES", "shop", "a list of texts"),
        ("ALLOWED_MODULES", [1], "a list of texts"),
        ("SENTRY_MONITORS", ["a"], "a dictionary"),
        ("BASE_URL", 80, "a text"),
    ],
)
def test_a_setting_that_is_no_such_value_is_named(settings, name, value, words):
    setattr(settings, f"APSCHEDULER_{name}", value)
    (error,) = check_settings()
    assert error.id == "scheduler.E020"
    assert f"APSCHEDULER_{name} must be {words}" in error.msg


def test_a_number_may_be_whole_and_a_file_a_path(settings, tmp_path):
    settings.APSCHEDULER_DRAIN_TIMEOUT = 10
    settings.APSCHEDULER_HEARTBEAT_FILE = tmp_path / "beat"
    settings.APSCHEDULER_ALLOWED_MODULES = ["shop"]
    assert check_settings() == []


@pytest.mark.parametrize(
    ("mode", "named"), [("DEFERRED", True), ("exclusive", False), ("IMMEDIATE", False)]
)
def test_a_mode_that_takes_the_lock_late_is_named(settings, monkeypatch, mode, named):
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": mode}}
    monkeypatch.setitem(django_settings.DATABASES, "default", database)
    assert ("scheduler.W001" in [message.id for message in check_settings()]) is named


def test_a_database_without_autocommit_is_named(settings, monkeypatch):
    monkeypatch.setitem(django_settings.DATABASES["default"], "AUTOCOMMIT", False)
    assert "scheduler.W006" in [message.id for message in check_settings()]


@pytest.mark.parametrize("days", [0, -1])
def test_history_is_kept_for_some_time(settings, days):
    settings.APSCHEDULER_KEEP_DAYS = days
    (error,) = check_settings()
    assert "APSCHEDULER_KEEP_DAYS must be more than 0" in error.msg


@pytest.mark.parametrize("name", ["TIME_ZONE", "APSCHEDULER_TIMEZONE"])
@pytest.mark.parametrize("zone", ["localtime", "Factory", "Mars/Olympus"])
def test_a_zone_that_means_something_else_on_each_machine_is_refused(settings, name, zone):
    if name == "TIME_ZONE" and zone == "Mars/Olympus":
        return  # Django refuses it, in words of its own, before any check
    setattr(settings, name, zone)
    (error,) = check_settings()
    assert error.id == "scheduler.E011"
    assert error.msg.startswith(f"{name}: there is no time zone {zone!r}")
    assert "Europe/Berlin" in error.hint


def test_a_zone_file_that_somebody_put_on_this_machine_alone_is_named(settings, tmp_path):
    import zoneinfo
    from importlib import resources

    data = resources.files("tzdata").joinpath("zoneinfo", "Europe", "Berlin").read_bytes()
    (tmp_path / "Office").write_bytes(data)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path), *before])
    try:
        settings.APSCHEDULER_TIMEZONE = "Office"
        (warning,) = check_settings()
    finally:
        zoneinfo.reset_tzpath(before)
        zone_if_known.cache_clear()
        zoneinfo.ZoneInfo.clear_cache(only_keys=["Office"])
    assert warning.id == "scheduler.W002"
    assert "a file of this machine" in warning.msg


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "US/Pacific", "+02:00"])
def test_zones_and_offsets_that_mean_the_same_everywhere_pass(settings, zone):
    settings.APSCHEDULER_TIMEZONE = zone
    assert check_settings() == []


BROKEN = {
    "an import": ("import no_such_module", 1, "No module named 'no_such_module'"),
    "a syntax error": ("def work(:", 1, "SyntaxError"),
    "a trigger": ("@job('cron', hour=24)\ndef work(): pass", 2, "hour: "),
    "a zone": ("@job('cron', hour=3, timezone='GMT+8')\ndef work(): pass", 2, "write +08:00"),
    "an id": ("@job('interval', hours=1, id='a')\ndef one(): pass\n"
              "@job('interval', hours=1, id='a')\ndef two(): pass", 4, "Two jobs have the id 'a'"),
    "a reference": ("job('interval', hours=1)(lambda: None)", 2, "is a lambda"),
    "a call": ("@job\ndef work(): pass", 2, '@job("interval", minutes=5) above work'),
}  # fmt: skip


@pytest.fixture
def app(monkeypatch, tmp_path, declared):
    """Writes ``jobs.py`` of an installed app."""
    folder = tmp_path / "omega"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str):
        (folder / "jobs.py").write_text(f"from scheduler import job; {text}\n" if "\n" not in text
                                        else f"from scheduler import job\n{text}\n")  # fmt: skip
        importlib.invalidate_caches()
        return folder / "jobs.py"

    write("pass")
    with modify_settings(INSTALLED_APPS={"append": ["omega"]}):
        yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "omega"]:
        del sys.modules[name]


@pytest.mark.parametrize("case", BROKEN)
def test_a_jobs_module_that_cannot_be_imported_is_named_on_one_line_with_its_remedy(
    app, case, caplog
):
    text, line, reason = BROKEN[case]
    file = app(text)
    with caplog.at_level(logging.ERROR):
        (warning,) = check_jobs()
        check_jobs()
        declarations.autodiscover()
    assert warning.id == "scheduler.W003"
    assert warning.msg.startswith(f"{file}, line {min(line, len(file.read_text().splitlines()))}: ")
    assert reason in warning.msg
    assert "\n" not in warning.msg
    assert "Mend it" in warning.hint
    (logged,) = caplog.records
    assert (f"{file}, line" in logged.getMessage(), "\n" in logged.getMessage()) == (True, False)
    assert logged.exc_info


def test_a_declared_job_that_no_row_can_hold_is_named_with_its_place(app):
    file = app("@job('interval', hours=1, args=[object()])\ndef work(what): pass")
    (warning,) = check_jobs()
    assert warning.id == "scheduler.W004"
    assert warning.msg.startswith(f"{file}, line 2: the job 'omega.work' cannot be stored: args[0]")
    app("pass")


def test_jobs_modules_without_a_mistake_pass(app):
    app("@job('interval', hours=1)\ndef work(): pass")
    assert check_jobs() == []


@pytest.mark.parametrize(
    ("pool", "size"),
    [(True, 4), ({"max_size": 10}, 10), ({"min_size": 2}, 2), ({"max_size": 11}, None),
     (False, None)],
)  # fmt: skip
def test_a_pool_that_is_smaller_than_the_threads_that_share_it_is_named(monkeypatch, pool, size):
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": pool}}
    monkeypatch.setitem(django_settings.DATABASES, "default", database)
    found = check_settings()
    assert [warning.id for warning in found] == (["scheduler.W005"] if size else [])
    if size:
        assert f"holds {size} connections, and a scheduler needs 11" in found[0].msg
        assert "Set max_size to 11 in DATABASES" in found[0].hint


class JobsElsewhere:
    """Keeps the scheduler's tables in an alias of their own, as Django's documentation has it."""

    def db_for_write(self, model, **hints):
        return "jobs" if model._meta.app_label == "scheduler" else None

    def allow_migrate(self, db, app_label, **hints):
        return db == "jobs" if app_label == "scheduler" else None


class WritesToPrimary:
    def db_for_write(self, model, **hints):
        return "primary"


class OfOtherApps:
    def db_for_write(self, model, **hints):
        return "books" if model._meta.app_label == "books" else None

    def allow_migrate(self, db, app_label, **hints):
        return db == "books" if app_label == "books" else None


@pytest.mark.parametrize(
    ("routed", "id", "words"),
    [
        (JobsElsewhere, "scheduler.E022", "tables out of 'default'"),
        (WritesToPrimary, "scheduler.W007", "to 'primary', and APSCHEDULER_DATABASE names 'de"),
    ],
)
def test_routers_that_lead_elsewhere_are_named(settings, routed, id, words):
    settings.DATABASE_ROUTERS = [f"{__name__}.{routed.__name__}"]
    (message,) = check_settings()
    assert message.id == id
    assert words in message.msg
    assert "Set APSCHEDULER_DATABASE to" in message.hint


def test_routers_of_other_apps_are_none_of_our_business(settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.OfOtherApps"]
    assert check_settings() == []
