"""The tables of the workers' chaos, from what each combination's run left in a file."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.sections import commit
from tests.proof.chaos.report import counts, quantile, reasons, table

from .engines import NAMES


def as_data(name: str, outcome: Any, options: dict[str, Any]) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "name": name,
        "commit": commit(),
        "options": options,
        "seconds": outcome.seconds,
        "struck": outcome.faults,
        "terms": outcome.terms,
        "audited": outcome.audited,
        "figures": dict(verdict.figures),
        "reasons": dict(verdict.reasons),
        "faults": verdict.faults,
        "felt": [vars(felt) for felt in outcome.felt],
    }


def read(folder: Path) -> list[dict[str, Any]]:
    """The runs that came to their end."""
    files = [folder / f"{name}.json" for name in NAMES]
    return [json.loads(file.read_text()) for file in files if file.exists()]


def text(runs: Sequence[dict[str, Any]]) -> str:
    """The whole section, in Markdown."""
    if not runs:
        return "No run came to its end."
    commits = ", ".join(f"`{commit}`" for commit in sorted({run["commit"] for run in runs}))
    heads = [NAMES[run["name"]] for run in runs]
    return "\n".join(
        [
            "## Faults of workers",
            "",
            f"`make chaos-workers` at {commits}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}; two schedulers, and two Celery workers of two processes "
            "each or three `db_worker`, on two hosts; lease, and trust in a worker's last sign of "
            f"life, {runs[0]['options']['ttl']:g} s. Record and checker are those of the table "
            "above.",
            *_left_out(runs),
            "",
            *table(["", *heads], counts(runs)),
            "",
            "Seconds, of all combinations. A worker's start of a body counts from the end of the "
            "fault, all else from its beginning.",
            "",
            *table(["after", "until", "times", "p50", "p99", "max", "bound"], _felt(runs)),
            "",
            "Why runs and slots did not succeed:",
            "",
            *table(["reason", *heads], reasons(runs)),
        ]
    )


def _left_out(runs: Sequence[dict[str, Any]]) -> list[str]:
    missing = [label for name, label in NAMES.items() if name not in {run["name"] for run in runs}]
    return ["", f"Not run at that length: {', '.join(missing)}."] if missing else []


def _felt(runs: Sequence[dict[str, Any]]) -> list[list[str]]:
    by: dict[tuple[str, str, float | None], list[float]] = defaultdict(list)
    for run in runs:
        for felt in run["felt"]:
            by[felt["fault"], felt["measure"], felt["bound"]].append(felt["seconds"])
    return [
        [fault, measure, str(len(values)), *(f"{quantile(values, q):.2f}" for q in (0.5, 0.99, 1)),
         f"{bound:g}" if bound else ""]
        for (fault, measure, bound), values in sorted(by.items(), key=lambda item: item[0][:2])
    ]  # fmt: skip
