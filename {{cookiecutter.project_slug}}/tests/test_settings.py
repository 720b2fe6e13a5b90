"""The settings as an environment makes them: each case is a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.environment import HIDDEN

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "x9" * 15 + "-Qw3rT7uIoPaSdFgHjKl_",
    "ALLOWED_HOSTS": "www.example.com",
    "DATABASE_URL": "sqlite:///FOLDER/check.sqlite3",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",  # read where workers are Celery's
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` with nothing but ``environment``, which also hides what .env sets.

    ``FOLDER`` in a value stands for a folder that is gone afterwards.
    """
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    hidden = dict.fromkeys([*HIDDEN, "DEBUG", "SECRET_KEY", "DATABASE_URL"], "")
    with TemporaryDirectory() as folder:
        given = {name: value.replace("FOLDER", folder) for name, value in environment.items()}
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**keep, **hidden, "DJANGO_SETTINGS_MODULE": "config.settings", **given},
            capture_output=True,
            text=True,
            timeout=60,
        )


def test_production_passes_the_deployment_check_once_static_files_are_there(
    tmp_path: Path,
) -> None:
    """Collected elsewhere, so that none of a developer's count."""
    collected = tmp_path / "collected.py"
    collected.write_text(
        f"from config.settings import *\n\nSTATIC_ROOT = {str(tmp_path)!r}\n"
        "SILENCED_SYSTEM_CHECKS = ['home.W004']  # no broker runs here\n"
    )
    elsewhere = {"DJANGO_SETTINGS_MODULE": "collected", "PYTHONPATH": str(tmp_path)}
    production = PRODUCTION | elsewhere
    check = ("check", "--deploy", "--fail-level", "WARNING")
    run = manage(*check, **production)
    assert run.returncode != 0
    assert re.findall(r"\((\w+\.[WEC]\d+)\)", run.stderr) == ["home.W003"]
    assert manage("collectstatic", "--noinput", **production).returncode == 0
    run = manage(*check, **production)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ALLOWED_HOSTS": "https://a.example"}, ["home.W001", "'https://a.example'"]),
        ({"ALLOWED_HOSTS": "a.example:8000, b.example/x"}, ["'a.example:8000'", "'b.example/x'"]),
        ({"ALOWED_HOSTS": "a.example"}, ["home.W007", "Did you mean ALLOWED_HOSTS"]),
        ({"log_level": "DEBUG"}, ["home.W007", "Did you mean LOG_LEVEL"]),
        ({"APSCHEDULER_KEEP_DAYS": "3"}, ["home.W007", "Set it in config/settings.py"]),
        ({"BASE_URL": "a.example"}, ["home.W002", "'a.example'"]),
        ({"BASE_URL": "https://me:secret@a.example"}, ["home.W002", "lead nowhere"]),
        ({"CSRF_TRUSTED_ORIGINS": "https://a.example/"}, ["home.W005", "'https://a.example/'"]),
        ({"CSRF_TRUSTED_ORIGINS": "https://*"}, ["home.W005"]),
        ({"ADMINS": "ops@a.example;b@a.example"}, ["home.W006", "commas"]),
        ({"ADMINS": "Ops <ops@a.example>, ops"}, ["home.W006", "'ops'"]),
        ({"SERVER_EMAIL": "site@"}, ["home.W006", "SERVER_EMAIL"]),
    ],
)
def test_an_address_that_cannot_work_is_named(change: dict[str, str], words: list[str]) -> None:
    run = manage("check", **{**PRODUCTION, **change})
    assert run.returncode == 0
    assert all(word in run.stderr for word in words), run.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ADMINS": ","}, "ADMINS holds no address"),
        ({"EMAIL_URL": "consolemail://"}, "EMAIL_URL is consolemail://, which sends nothing"),
        ({"EMAIL_URL": "dummymail://"}, "EMAIL_URL is dummymail://, which sends nothing"),
    ],
)
def test_mail_that_reaches_nobody_is_named_at_a_deployment(
    change: dict[str, str], words: str
) -> None:
    run = manage("check", "--deploy", **{**PRODUCTION, **change})
    assert f"(home.W008) {words}" in run.stderr


def test_models_and_migrations_agree() -> None:
    run = manage("makemigrations", "--check", "--dry-run", **PRODUCTION)
    assert run.returncode == 0, run.stdout + run.stderr


def test_development_needs_no_password_and_no_address() -> None:
    run = manage("diffsettings", DEBUG="true", SECRET_KEY=PRODUCTION["SECRET_KEY"])
    (line,) = re.findall(r"^DATABASES = .*", run.stdout, re.M)
    for part in ("USER", "PASSWORD", "HOST", "PORT"):
        assert f"'{part}': ''" in line
    assert "'NAME': ''" not in line


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("ALLOWED_HOSTS", "a.example, b.example,", "ALLOWED_HOSTS", ["a.example", "b.example"]),
        ("ADMIN_URL", "/manage", "ADMIN_URL", "manage/"),
        ("BASE_URL", "https://b.example/", "APSCHEDULER_BASE_URL", "https://b.example"),
        ("BASE_URL", "https://b.example/app/", "FORCE_SCRIPT_NAME", "/app"),
        ("SCRIPT_NAME", "/app", "FORCE_SCRIPT_NAME", "/app"),
        ("ALLOWED_HOSTS", "$HOST, ${X}", "ALLOWED_HOSTS", ["$HOST", "${X}"]),
        ("SERVER_EMAIL", "$X", "SERVER_EMAIL", "$X"),
        ("ALLOWED_HOSTS", "*, .a.example, [::1]", "ALLOWED_HOSTS", ["*", ".a.example", "[::1]"]),
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
        ({"ADMIN_URL": "/"}, ["ADMIN_URL is '/'", "such as admin/", "landing page"]),
        ({"ADMIN_URL": "../admin/"}, ["ADMIN_URL is '../admin/'"]),
        ({"ADMIN_URL": "static/admin"}, ["ADMIN_URL is 'static/admin'", "belongs to files"]),
        ({"SCRIPT_NAME": "app"}, ["SCRIPT_NAME is 'app'", "begins with a slash"]),
        ({"SCRIPT_NAME": "/app/"}, ["SCRIPT_NAME is '/app/'", "does not end with one"]),
        ({"SCRIPT_NAME": "/"}, ["SCRIPT_NAME is '/'", "leave it out"]),
        ({"SCRIPT_NAME": "/a", "BASE_URL": "https://x.example/b"}, ["'/a'", "'/b'", "Leave one"]),
        ({"BASE_URL": "https://x.example//app"}, ["BASE_URL is 'https://x.example//app'"]),
        ({"BASE_URL": "https://[::1"}, ["BASE_URL is 'https://[::1'"]),
        ({"ADMIN_URL": "<str:x>/"}, ["ADMIN_URL is '<str:x>/'"]),
        ({"TIME_ZONE": "Europe/Berlni"}, ["TIME_ZONE is 'Europe/Berlni'", "Perhaps Europe/Berlin"]),
        ({"DATABASE_URL": "sqlite:///x?timeuot=3"}, ["'timeuot'", "timeout"]),
        ({"EMAIL_URL": "smtp://me:pass/1@mail.example.com"}, ["EMAIL_URL", "%2F"]),
        ({"DEBUG": "yse"}, ["DEBUG is 'yse'", "true and false"]),
        ({"APSCHEDULER_MAX_WORKERS": "many"}, ["APSCHEDULER_MAX_WORKERS is 'many'"]),
        ({"APSCHEDULER_DRAIN_TIMEOUT": "30m"}, ["APSCHEDULER_DRAIN_TIMEOUT is '30m'", "a number"]),
        ({"APSCHEDULER_DRAIN_TIMEOUT": "1e3"}, ["APSCHEDULER_DRAIN_TIMEOUT is '1e3'"]),
        ({"EMAIL_URL": "smtp://mail.example.com?tls=true"}, ["EMAIL_URL", "no options"]),
        ({"EMAIL_URL": "smtp://"}, ["EMAIL_URL is malformed"]),
        ({"EMAIL_URL": "smtp://mail.example.com:0"}, ["EMAIL_URL is malformed"]),
        ({"EMAIL_URL": "SMTP://:25"}, ["EMAIL_URL is malformed"]),
        ({"EMAIL_URL": "smtp://me:pass%E4@mail.example.com"}, ["EMAIL_URL is malformed"]),
        ({"EMAIL_URL": "filemail:///var/mail"}, ["EMAIL_URL is malformed"]),
        ({"TIME_ZONE": "$TZ"}, ["TIME_ZONE is '$TZ'", "Europe/Berlin"]),
        ({"EMAIL_URL": "mail.example.com"}, ["EMAIL_URL is malformed", "smtp+tls://USER"]),
        ({"LOG_FORMAT": "xml"}, ["LOG_FORMAT is 'xml'", "text, json"]),
        ({"LOG_LEVEL": "loud"}, ["LOG_LEVEL is 'loud'", "WARNING"]),
        ({"SENTRY_DSN": "nonsense"}, ["SENTRY_DSN is"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(change: dict[str, str], words: list[str]) -> None:
    run = manage("check", **{**PRODUCTION, **change})
    assert run.returncode != 0
    last = run.stderr[run.stderr.rindex("ImproperlyConfigured") :]
    assert all(word in last for word in words), last
    assert "me:pass" not in run.stderr


def test_a_database_that_cannot_be_reached_takes_two_lines() -> None:
    run = manage("migrate", **{**PRODUCTION, "DATABASE_URL": "sqlite:////not/there/x.sqlite3"})
    assert run.returncode == 1
    assert "\nThe database cannot be reached: unable to open database file" in f"\n{run.stderr}"
    assert "file: /not/there/x.sqlite3\n" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_error_of_a_database_that_was_reached_keeps_its_traceback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/without_tables.sqlite3"
    run = manage("changepassword", "nobody", **{**PRODUCTION, "DATABASE_URL": url})
    assert "no such table" in run.stderr
    assert "Traceback" in run.stderr
