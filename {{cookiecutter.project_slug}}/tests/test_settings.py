"""The settings as an environment makes them: each case is a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import HIDDEN

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "x9" * 15 + "-Qw3rT7uIoPaSdFgHjKl_",
    "ALLOWED_HOSTS": "www.example.com",
    "DATABASE_URL": "sqlite:///check.sqlite3",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` with nothing but ``environment``, which also hides what .env sets."""
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    hidden = dict.fromkeys([*HIDDEN, "DEBUG", "SECRET_KEY", "DATABASE_URL"], "")
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**keep, **hidden, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_production_passes_the_deployment_check() -> None:
    run = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert run.returncode == 0, run.stderr


def test_models_and_migrations_agree() -> None:
    run = manage("makemigrations", "--check", "--dry-run", **PRODUCTION)
    assert run.returncode == 0, run.stdout + run.stderr


def test_development_needs_no_password_and_no_address() -> None:
    run = manage("diffsettings", DEBUG="true")
    (line,) = re.findall(r"^DATABASES = .*", run.stdout, re.M)
    for part in ("USER", "PASSWORD", "HOST", "PORT"):
        assert f"'{part}': ''" in line
    assert "'NAME': ''" not in line


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("ALLOWED_HOSTS", "a.example, b.example,", "ALLOWED_HOSTS", ["a.example", "b.example"]),
        ("ADMIN_URL", "/manage", "ADMIN_URL", "manage/"),
        ("BASE_URL", "https://b.example", "APSCHEDULER_BASE_URL", "https://b.example"),
    ],
)
def test_a_value_is_read_as_people_write_it(
    variable: str, text: str, setting: str, value: object
) -> None:
    run = manage("diffsettings", **{**PRODUCTION, variable: text})
    assert re.findall(rf"^{setting} = (.*?)(?:  ###)?$", run.stdout, re.M) == [repr(value)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SECRET_KEY": ""}, ["SECRET_KEY is not set", "token_urlsafe"]),
        ({"DATABASE_URL": "oracle://x/y"}, ["DATABASE_URL", "postgres://USER:PASSWORD"]),
        ({"DATABASE_URL": "postgres://me:pass@host:port/x"}, ["malformed", "mysql://"]),
        ({"DATABASE_URL": "postgres://me:pass@host/"}, ["without the database's name"]),
        ({"DATABASE_URL": "sqlite://:memory:"}, ["names no SQLite file"]),
        ({"DEBUG": "yse"}, ["DEBUG is 'yse'", "true and false"]),
        ({"APSCHEDULER_MAX_WORKERS": "many"}, ["APSCHEDULER_MAX_WORKERS is 'many'"]),
        ({"EMAIL_URL": "mail.example.com"}, ["EMAIL_URL is malformed", "smtp+tls://USER"]),
        ({"LOG_FORMAT": "xml"}, ["LOG_FORMAT is 'xml'", "text, json"]),
        ({"LOG_LEVEL": "loud"}, ["LOG_LEVEL is 'loud'", "WARNING"]),
        ({"SENTRY_DSN": "nonsense"}, ["SENTRY_DSN is"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(change: dict[str, str], words: list[str]) -> None:
    run = manage("check", **{**PRODUCTION, **change})
    assert run.returncode != 0
    last = run.stderr[run.stderr.index("ImproperlyConfigured") :]
    assert all(word in last for word in words), last
    assert "me:pass" not in last


def test_a_database_that_cannot_be_reached_takes_two_lines() -> None:
    run = manage("migrate", **{**PRODUCTION, "DATABASE_URL": "sqlite:////not/there/x.sqlite3"})
    assert run.returncode == 1
    assert run.stderr.startswith("The database cannot be reached: unable to open database file")
    assert "Traceback" not in run.stderr


def test_an_error_of_a_database_that_was_reached_keeps_its_traceback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/without_tables.sqlite3"
    run = manage("changepassword", "nobody", **{**PRODUCTION, "DATABASE_URL": url})
    assert "no such table" in run.stderr
    assert "Traceback" in run.stderr
