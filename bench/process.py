"""Run one child and read what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
