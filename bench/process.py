"""Children: one that measures alone, or several beside each other on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.databases import fresh

ROOT = Path(__file__).resolve().parent.parent


def in_child(system: str, database: str, measure: str, size: dict[str, Any]) -> dict[str, Any]:
    """Measure in a process of its own, on a database of its own.

    Raises:
        RuntimeError: the child broke, with what it printed.
    """
    with fresh(database) as variables:
        child = subprocess.run(
            [sys.executable, "-m", "bench.child", system, measure, json.dumps(size)],
            cwd=ROOT,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
    try:
        result: dict[str, Any] = json.loads(child.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise RuntimeError(f"{system} on {database}:\n{child.stdout}{child.stderr}") from None
    return result


class Beside:
    """Processes of one project: ``python -m words``, all on the database that ``fresh`` made."""

    def __init__(self, app: str, variables: dict[str, str]) -> None:
        self._environment = {
            **os.environ,
            **variables,
            "BENCH_APPS": app,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
        }

    def run(self, *words: str) -> str:
        """To its end. Returns what it printed.

        Raises:
            RuntimeError: it failed, with what it printed.
        """
        child = self._start(*words)
        said, _ = child.communicate()
        if child.returncode:
            raise RuntimeError(f"{' '.join(words)}:\n{said}")
        return said

    @contextmanager
    def running(self, *words: str) -> Iterator[None]:
        child = self._start(*words)
        try:
            yield
        finally:
            child.terminate()
            child.communicate()

    def _start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=self._environment, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
