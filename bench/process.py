"""Children: one that measures alone, or several beside each other on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.databases import fresh
from bench.surroundings import farther_away

ROOT = Path(__file__).resolve().parent.parent


def in_child(
    system: str, database: str, measure: str, size: dict[str, Any], delay: float = 0.0
) -> dict[str, Any]:
    """Measure in a process of its own, on a database of its own.

    Args:
        delay: seconds that the network adds to each round trip.

    Raises:
        RuntimeError: the child broke, with what it printed.
    """
    with ExitStack() as stack:
        variables = stack.enter_context(fresh(database))
        if delay:
            variables = stack.enter_context(farther_away(variables, delay))
        child = subprocess.run(
            [sys.executable, "-m", "bench.child", system, measure, json.dumps(size)],
            cwd=ROOT,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=900,
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
        # Nobody reads what it says: a pipe would be full one day, and stop it.
        child = self._start(*words, output=subprocess.DEVNULL)
        try:
            yield
        finally:
            child.terminate()
            child.communicate()

    def _start(self, *words: str, output: int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=self._environment, text=True,
            stdout=output,
        )  # fmt: skip
