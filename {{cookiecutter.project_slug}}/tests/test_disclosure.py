"""No credential of the environment leaves the process, whatever fails in it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from config.database import database
from config.redaction import redacted
from config.reports import ReportFilter

ROOT = Path(__file__).resolve().parent.parent

# Variables of .env.example that hold a credential, and others of that kind: where it stands.
SECRET = {
    "SECRET_KEY": "{}",
    "SECRET_KEY_FALLBACKS": "the-oldest-one, {}",
    "DATABASE_PASSWORD": "{}",
    "EMAIL_URL": "smtp+tls://me:{}@127.0.0.1:1",
    "METRICS_TOKEN": "{}",
    "SENTRY_DSN": "http://{}@127.0.0.1:1/1",
    "REPLICA_URL": "postgres://me:{}@127.0.0.1/x",
    "REDIS_URL": "redis://:{}@127.0.0.1/0",
    "CELERY_BROKER_URL": "amqp://me:{}@127.0.0.1//",
    "CHAT_WEBHOOK": "https://chat.example/{}",
    "CHAT_PING": "https://chat.example/ping?token={}",
    "AWS_SECRET_ACCESS_KEY": "{}",
    "GITHUB_PAT": "{}",
    "MYSQL_PWD": "{}",
    "TWILIO_AUTH": "{}",
    "PASSWORD_SALT": "{}",
    "KEY_2": "{}",
    "TOKEN_OLD": "{}",
    "STORAGE": "Account=shop;AccountKey={};Timeout=5",
    "SERVICE_ACCOUNT": '{"type": "robot", "private_key": "{}"}',
    "POSTED": "{}",
}
# fmt: off
PUBLIC = {
    "ADMINS", "ADMIN_URL", "ALERTS", "ALLOWED_HOSTS", "APSCHEDULER_DRAIN_TIMEOUT",
    "APSCHEDULER_HEARTBEAT_FILE", "APSCHEDULER_MAX_WORKERS", "APSCHEDULER_WORKERS", "BASE_URL",
    "BIND", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL", "DEBUG", "DEBUG_TOOLBAR", "DEFAULT_FROM_EMAIL",
    "HTTPS", "LOG_FORMAT", "LOG_LEVEL", "SCRIPT_NAME", "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD", "SECURE_HSTS_SECONDS", "SERVER_EMAIL", "TIME_ZONE", "WEB_CONCURRENCY",
    "WEB_THREADS",
}
# fmt: on
CANARIES = {name: f"CANARY/of&{name.lower()}'s" for name in SECRET if "URL" not in name} | {
    name: f"CANARY%2F{name.lower()}%27" for name in SECRET if "URL" in name
}
CANARIES["STORAGE"] = "CANARY/of+storage="
CANARIES["SERVICE_ACCOUNT"] = "CANARY/of/account"
CANARIES["SENTRY_DSN"] = "CANARYofsentry"
CANARIES["CHAT_WEBHOOK"] = "CANARYofchat"


def test_every_variable_is_known_as_public_or_secret() -> None:
    example = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert set(example) - PUBLIC - SECRET.keys() == set()


@pytest.fixture
def events() -> Iterator[tuple[str, list[bytes]]]:
    """The DSN of a server that keeps what is sent to it."""
    kept: list[bytes] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{CANARIES['SENTRY_DSN']}@127.0.0.1:{server.server_port}/1", kept
    server.shutdown()
    server.server_close()


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    secrets = {name: form.replace("{}", CANARIES[name]) for name, form in SECRET.items()}
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {
        **keep,
        **secrets,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "ADMINS": "ops@example.com",
        "ALLOWED_HOSTS": "localhost",
        "DEBUG": "false",
        "TMPDIR": str(folder),
        **variables,
    }
    environment = {name: value for name, value in environment.items() if value}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def leaked(*texts: str) -> list[str]:
    return re.findall(r"CANARY\S{0,60}", "\n".join(texts))


RAISE = """
import pathlib, sys, django
django.setup()
from tests.raising import main
main(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_in_production(tmp_path: Path, events: tuple[str, list[bytes]], form: str) -> None:
    dsn, kept = events
    with_sentry = importlib.util.find_spec("sentry_sdk") is not None
    variables = {"SENTRY_DSN": dsn if with_sentry else "", "LOG_FORMAT": form}
    done = run(tmp_path, "-c", RAISE, str(tmp_path / "left"), **variables)
    assert done.returncode == 0, done.stderr
    left = json.loads((tmp_path / "left").read_text())
    # Each of them tells of the failure, so that each could have told too much.
    of_view, of_job = left["mails"]
    assert "a view failed" in of_view
    assert "DATABASES" in of_view
    assert "arg_card" in of_view
    assert "a job failed" in of_job
    assert "a view failed" in done.stdout
    assert "a job failed" in done.stdout
    assert '"ok"' in left["status"]
    assert leaked(done.stdout, done.stderr, *left["mails"], left["status"], left["health"]) == []
    assert all("a job failed" in page for page in left["pages"].values())
    assert leaked(*left["pages"].values()) == []
    if with_sentry:
        payloads = [line for body in kept for line in body.decode().splitlines()[2:]]
        assert any("a view failed" in line for line in payloads)
        assert any("a job failed" in line for line in payloads)
        assert leaked(*payloads) == []


def test_on_the_debug_page(tmp_path: Path) -> None:
    variables = {"SENTRY_DSN": "", "DEBUG": "true", "POSTED": "nothing"}
    done = run(tmp_path, "-c", RAISE, str(tmp_path / "left"), **variables)
    assert done.returncode == 0, done.stderr
    page = json.loads((tmp_path / "left").read_text())["page"]
    assert "a view failed" in page
    assert "REDIS_URL" in page
    assert leaked(page, done.stdout, done.stderr) == []


def test_in_a_command(tmp_path: Path) -> None:
    """Its traceback is Python's own, of the exception alone."""
    code = "from django.conf import settings; settings.DATABASES['nowhere']"
    done = run(tmp_path, "manage.py", "shell", "-c", code, SENTRY_DSN="")
    assert "KeyError: 'nowhere'" in done.stderr
    assert leaked(done.stdout, done.stderr) == []


SAFE = """
from django.conf import settings
from django.views.debug import get_default_exception_reporter_filter as safe
print(safe().get_safe_settings())
assert "CANARY" in settings.DATABASES["default"]["PASSWORD"]
"""


@pytest.mark.parametrize(
    ("driver", "url"),
    [
        ("psycopg", "postgres://me:CANARY-pw@127.0.0.1/x?sslpassword=CANARY-ssl"),
        ("psycopg", "postgres:///x?user=me&password=CANARY-pw"),
        ("MySQLdb", "mysql://me:CANARY-pw@127.0.0.1/x"),
    ],
)
def test_no_setting_shows_the_database_s_password(tmp_path: Path, driver: str, url: str) -> None:
    if not importlib.util.find_spec(driver):
        pytest.skip(f"{driver} is not installed")
    done = run(tmp_path, "manage.py", "shell", "-v0", "-c", SAFE, DATABASE_URL=url, SENTRY_DSN="")
    assert done.returncode == 0, done.stderr
    assert "'DATABASES'" in done.stdout
    assert leaked(done.stdout) == []


def test_a_password_of_any_database_has_a_name_that_is_masked() -> None:
    if importlib.util.find_spec("psycopg"):
        entry = database("postgres://me:CANARY@h/x?sslpassword=CANARY", Path("/x"))
        assert "CANARY" not in str(ReportFilter().cleanse_setting("DATABASES", entry))


@pytest.mark.parametrize("login", ["me:CANARY", "me:p@CANARY", "me:p@ss@CANARY", ":CANARY"])
def test_a_login_of_a_url_that_nobody_knew_before(login: str) -> None:
    assert (
        redacted(f"no answer from redis://{login}@mq/0") == "no answer from redis://********@mq/0"
    )
