"""A scheduler and Celery workers as processes of their own, on the database of the running test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.processes import environment
from tests.settings import ROOT

PATIENCE = 90.0


class Cluster:
    """``logs`` holds what each process printed."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.environment = {
            **environment(),
            "DJANGO_SETTINGS_MODULE": "tests.workers.settings",
            "REMAP_SIGTERM": "SIGQUIT",
            **variables,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self._start("scheduler", "django", "runapscheduler")

    def celery(self, *options: str, processes: int = 1) -> subprocess.Popen[bytes]:
        """A worker of a name of its own, as its log shows."""
        return self._start(
            "celery", "celery", "-A", "tests.workers.celery_app", "worker", "--queues", "scheduler",
            "--hostname", f"worker{len(self.processes)}@%h",
            "--concurrency", str(processes), *options,
        )  # fmt: skip

    def db_worker(self, *options: str) -> subprocess.Popen[bytes]:
        return self._start(
            "db_worker", "django", "db_worker", "--queue-name", "scheduler",
            "--backend", "workers", "--interval", "0.05", *options,
        )  # fmt: skip

    def run(self, *command: str) -> None:
        """A management command, to its end."""
        subprocess.run(
            [sys.executable, "-m", "django", *command], env=self.environment, cwd=ROOT, check=True
        )

    def output(self) -> str:
        return "".join(
            f"-- {path.name}\n{path.read_text(errors='replace')}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def end(self) -> None:
        for process in self.processes:
            for pid in [process.pid, *children(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def _start(self, name: str, *module: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with log.open("wb") as output:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *module], env=self.environment, cwd=ROOT,
                    stdout=output, stderr=output,
                )
            )  # fmt: skip
        return self.processes[-1]


@contextmanager
def cluster(folder: Path, **variables: str) -> Iterator[Cluster]:
    made = Cluster(folder, **variables)
    try:
        yield made
    except BaseException:
        print(made.output())
        raise
    finally:
        made.end()


def children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return value
