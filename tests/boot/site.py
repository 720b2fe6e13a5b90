"""A baked project as it lies on a server: settings of production, a port, a database of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.boot.waiting import until
from tests.template.locks import lock

JOBS = Path(__file__).with_name("jobs_of_the_site.py")


def prepare(project: Path, jobs: Path = JOBS) -> None:
    """Once for all tests: locks, environment, jobs, migrated database, static files."""
    lock(project)
    (project / ".venv").symlink_to(sys.prefix)
    (project / "home" / "jobs.py").write_text(jobs.read_text())
    site = Site(project)
    site.manage("migrate", "--noinput", "-v0")
    site.manage("collectstatic", "--noinput", "-v0")


@dataclass
class Site:
    path: Path
    port: int = 0
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.settings = {
            "SECRET_KEY": "only-for-tests-" + "x" * 40,
            "ALLOWED_HOSTS": "127.0.0.1",
            "ADMINS": "ops@example.com",
            "EMAIL_URL": "consolemail://",
            "HTTPS": "false",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",  # read where workers are Celery's
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
            "APSCHEDULER_DRAIN_TIMEOUT": "10",
        }
        self.write_settings()

    @property
    def database(self) -> Path:
        return self.path / "var" / "db.sqlite3"

    @property
    def python(self) -> str:
        return str(self.path / ".venv" / "bin" / "python")

    def write_settings(self, **changes: str | None) -> None:
        """Write ``.env``; None leaves a variable out."""
        values = {**self.settings, **changes}
        lines = [f"{name}={value}" for name, value in values.items() if value is not None]
        (self.path / ".env").write_text("\n".join(lines) + "\n")
        (self.path / ".env").chmod(0o644)

    def environment(self) -> dict[str, str]:
        """Nothing of the test's own, such as the settings module of the template's tests."""
        keep = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.path}/.venv/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**keep, "PATH": path, "PYTHONUNBUFFERED": "1"}

    def make_run(self) -> list[str]:
        """The lines that `make run` would execute."""
        done = subprocess.run(
            ["make", "--dry-run", "run", f"PORT={self.port}"],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    def manage(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = self.run("manage.py", *words)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A Python command of the project, to its end."""
        return subprocess.run(
            [self.python, *words],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *words: str, log: str = "out.log", **variables: str) -> subprocess.Popen[str]:
        """A Python command of the project, in a process group of its own.

        What it wrote is in its log when it has ended.
        """
        with (self.path / "var" / log).open("a") as file:
            return self._start([self.python, *words], file, variables)

    def shell(self, line: str, log: str) -> subprocess.Popen[str]:
        """A line of a Procfile, started as ``start`` does."""
        with (self.path / "var" / log).open("a") as file:
            return self._start(["sh", "-c", line], file, {})

    def supervisord(self, conf: str, log: str = "out.log") -> subprocess.Popen[str]:
        # It opens /dev/stdout anew: a plain file would be written from its start, a pipe is not.
        with (self.path / "var" / log).open("a") as file:
            sink = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file, text=True)
        self.started.append(sink)
        assert sink.stdin is not None
        with sink.stdin:
            words = ("-m", "supervisor.supervisord", "--nodaemon", "-c", conf)
            return self._start([self.python, *words], sink.stdin, {})

    def scheduler(self, log: str = "scheduler.log") -> subprocess.Popen[str]:
        return self.start("manage.py", "runapscheduler", log=log)

    def run_now(self, job_id: str) -> None:
        code = f"from scheduler import scheduler; scheduler.run_now({job_id!r})"
        self.manage("shell", "--verbosity", "0", "-c", code)

    def log(self, name: str = "out.log") -> str:
        path = self.path / "var" / name
        return path.read_text() if path.exists() else ""

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(Request(f"http://127.0.0.1:{self.port}{path}"), timeout=5) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def health(self) -> dict:
        status, body = self.get("/healthz/scheduler")
        return {**json.loads(body), "status": status}

    def wait_for_leader(self, within: float = 15) -> dict:
        return until(
            lambda: (health := self.health())["led"] and health, within, "led by a scheduler"
        )

    def stop(self, process: subprocess.Popen[str], within: float = 20) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(within)

    def _start(
        self, command: list[str], output: IO[str], variables: dict[str, str]
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env={**self.environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def clean_up(self) -> None:
        """End every process that works in this folder, whoever started it."""
        for pid in processes(self.path):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            if process.poll() is None and process.args != ["cat"]:
                process.kill()
            process.wait(10)


def processes(folder: Path, *words: str) -> list[int]:
    """Ids of the processes that work in ``folder`` and whose command line holds all ``words``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            cwd = os.readlink(entry / "cwd")
            line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if cwd == str(folder) and state != "Z" and all(word in line for word in words):
            found.append(int(entry.name))
    return sorted(found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def copy_of(project: Path, folder: Path) -> Iterator[Site]:
    shutil.copytree(project, folder, symlinks=True)
    site = Site(folder)
    try:
        yield site
    finally:
        site.clean_up()
