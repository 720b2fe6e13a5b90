"""Processes beside the test's own, on the database of the running test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from tests.settings import DATABASE_URL, ROOT, TEMPLATE


def environment() -> dict[str, str]:
    """For a child that uses the test's database, under the same settings."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = f"{DATABASE_URL.rpartition('/')[0]}/{name}"
    return {
        **os.environ,
        "TEST_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(TEMPLATE)]),
    }


@contextmanager
def running(script: Path, *arguments: str, count: int = 1) -> Iterator[list[subprocess.Popen]]:
    """``count`` processes of a Python script; whatever is left of them is killed at the end."""
    command = [sys.executable, str(script), *arguments]
    processes = [subprocess.Popen(command, env=environment(), cwd=ROOT) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def eventually(condition: Callable[[], Any], seconds: float = 90) -> Any:
    """What ``condition`` returns once that is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value
