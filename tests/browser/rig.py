"""A live server and real scheduler processes on a database of their own."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
USER, PASSWORD = "operator", "only-for-tests"
PATIENCE = 30.0
LONG_ID = "x" * 120 + " and a rest of it" * 7
STUMBLES = f"""
from scheduler import scheduler
scheduler.add_job("tests.demo_app.jobs:fail", "interval", days=1, id={LONG_ID!r})
scheduler.run_now({LONG_ID!r})
scheduler.add_job("tests.demo_app.jobs:sometimes", "interval", days=1, id="failed-once")
scheduler.modify_job("demo_app.sync_stock", max_retries=9, kwargs={{"limit": 20}})
"""
COUNTED = """
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from scheduler.engine.maintenance import tallies
with transaction.atomic():
    while tallies.count_settled(timezone.now() + timedelta(minutes=5), "default")[1]:
        pass
"""
RUN_IT = """
from scheduler import scheduler
scheduler.run_now("failed-once", kwargs={{"fails": {fails}}})
"""


def chromium() -> str | None:
    """The path of the system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def need(module: str) -> ModuleType:
    """The module; without it the test is skipped, or fails where the environment promised it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{module} is not installed", allow_module_level=True)


class Rig:
    """``start()`` migrates, makes a superuser and starts the web server; schedulers are extra."""

    def __init__(self, folder: Path, pace: int = 1) -> None:
        self.folder, self.pace = folder, pace
        self.database = folder / "shop.sqlite3"
        self.schedulers: list[subprocess.Popen] = []
        self.failed = 0
        self._server: subprocess.Popen | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.manage("migrate", "--verbosity=0")
        self.manage("createsuperuser", "--noinput", f"--username={USER}", "--email=o@example.com")
        self._server = self._spawn("runserver", "--noreload", f"127.0.0.1:{self.port}")
        self.wait_until(self._answers, "the server answers")

    def stop(self) -> None:
        for process in [*self.schedulers, *filter(None, [self._server])]:
            process.kill()
            process.wait()

    def start_scheduler(self) -> subprocess.Popen:
        process = self._spawn("runapscheduler")
        self.schedulers.append(process)
        return process

    def stop_schedulers(self, how: signal.Signals = signal.SIGKILL) -> None:
        for process in self.schedulers:
            process.send_signal(how)
            process.wait()
        self.schedulers.clear()

    def manage(self, *arguments: str) -> None:
        subprocess.run(self._command(*arguments), cwd=ROOT, env=self.environment(), check=True)

    def fail_and_override(self) -> None:
        """Let jobs fail, one of them after a success, and change a declared one beside its code."""
        self.manage("shell", "-c", STUMBLES)
        sql = "select id from scheduler_execution where job_id = 'failed-once' and status = %r"
        for status in ("succeeded", "failed"):
            self.manage("shell", "-c", RUN_IT.format(fails=status == "failed"))
            ((self.failed,), *_) = self.wait_until(lambda sql=sql % status: self.rows(sql), status)
        self.count_for_trends()

    def count_for_trends(self) -> None:
        """Count what has ended; the leader does so a minute after."""
        self.manage("shell", "-c", COUNTED)

    def address(self, page: str) -> str:
        """Return the address of a page, with the number of the failed execution in it."""
        return page.format(failed=self.failed)

    def rows(self, sql: str, *params: object) -> list[tuple]:
        """What the database says, without Django."""
        connection = sqlite3.connect(self.database, timeout=20)
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            connection.close()

    def wait_until(self, holds, what: str):
        """Until ``holds()`` is true, and that."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := holds():
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {PATIENCE:g} s: {what}\n{self.logs()}")

    def logs(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/admin/login/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _spawn(self, *arguments: str) -> subprocess.Popen:
        number = len(list(self.folder.glob("*.log")))
        with open(self.folder / f"{number:02}-{arguments[0]}.log", "w") as log:
            return subprocess.Popen(
                self._command(*arguments),
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "django", *arguments]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "SHOP_PACE": str(self.pace),
            "TEST_DATABASE_URL": f"sqlite:///{self.database}",
        }
