"""A backend with a database of its own: children that measure, and workers beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.databases import POSTGRESQL, POSTGRESQL_URL, statements
from bench.process import ROOT
from bench.tasks.systems import SYSTEMS

SETTLED = 1.0
"""Seconds after their first task that workers get to finish starting."""


class Project:
    """``fresh()`` gives it an empty database, from one that is migrated once."""

    def __init__(self, name: str) -> None:
        self.system = SYSTEMS[name]
        self._template = f"bench_{os.getpid()}_{name}"
        self._database = f"{self._template}_used"
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.tasks.settings",
            "BENCH_TASKS_SYSTEM": name,
            "PGSSLMODE": "disable",  # the proxy that counts reads what passes
            "PGGSSENCMODE": "disable",
        }

    def prepare(self) -> None:
        statements(
            POSTGRESQL,
            f"DROP DATABASE IF EXISTS {self._template}",
            f"CREATE DATABASE {self._template}",
        )
        self._run("django", "migrate", "-v0", url=_url(self._template))

    def drop(self) -> None:
        statements(POSTGRESQL, f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")

    @contextmanager
    def fresh(self) -> Iterator[None]:
        make = f"CREATE DATABASE {self._database} TEMPLATE {self._template}"
        statements(POSTGRESQL, make)
        try:
            yield
        finally:
            statements(POSTGRESQL, f"DROP DATABASE {self._database} WITH (FORCE)")

    def measure(self, name: str, *size: int, port: int | None = None, **more: str) -> Any:
        """Measure in a process of its own; through the proxy at ``port`` if that is given."""
        said = self._run("bench.tasks.child", name, *map(str, size), port=port, **more)
        return json.loads(said.strip().splitlines()[-1])

    @contextmanager
    def working(self, way: str, port: int | None = None, **more: str) -> Iterator[None]:
        """Run workers that are started in this way, and stop them afterwards."""
        workers = self.start(way, port, **more)
        try:
            yield
        finally:
            self.stop(workers)

    def start(
        self, way: str, port: int | None = None, **more: str
    ) -> list[subprocess.Popen[bytes]]:
        return [
            subprocess.Popen(
                [sys.executable, "-m", "django", *words],
                cwd=ROOT,
                env={**self._environment, "BENCH_DATABASE_URL": self._url(port), **more},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            for words in self.system.workers[way]
        ]

    def stop(self, workers: list[subprocess.Popen[bytes]]) -> None:
        """End workers as an operator does, and what does not heed it by force."""
        for worker in workers:
            worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            for worker in workers:
                worker.wait(timeout=10)
        self.kill(workers)

    def kill(self, workers: list[subprocess.Popen[bytes]]) -> None:
        """Kill (-9) workers and the processes that they started."""
        for worker in workers:
            for pid in _session(worker.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            worker.wait()

    def drained(self, way: str, size: int) -> float:
        """Return tasks a second; see ``child.drain``."""
        with self.fresh(), self.working(way):
            self.warm_up()
            return float(self.measure("drain", size)["rate"])

    def warm_up(self) -> None:
        """Let workers that were just started run their first tasks."""
        self.measure("drain", 20)
        time.sleep(SETTLED)

    def _url(self, port: int | None) -> str:
        return _url(self._database, port)

    def _run(self, *words: str, port: int | None = None, url: str = "", **more: str) -> str:
        child = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**self._environment, "BENCH_DATABASE_URL": url or self._url(port), **more},
            capture_output=True,
            text=True,
        )
        if child.returncode:
            raise RuntimeError(f"{self.system.label}, {' '.join(words)}:\n{child.stderr}")
        return child.stdout


def _session(leader: int) -> list[int]:
    """Return the processes of a session, whatever groups they made of themselves."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                found.append(int(stat.parent.name))
    return found


def _url(database: str, port: int | None = None) -> str:
    parts = urlsplit(POSTGRESQL_URL)._replace(path=f"/{database}")
    if port:
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        parts = parts._replace(netloc=f"{login}127.0.0.1:{port}")
    return parts.geturl()


def server() -> tuple[str, int]:
    """Return host and port of the server."""
    parts = urlsplit(POSTGRESQL_URL)
    return parts.hostname or "127.0.0.1", parts.port or 5432


def notes(path: Path) -> list[tuple[str, int]]:
    """Return what ``noted`` tasks wrote: events and numbers."""
    if not path.exists():
        return []
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()]
