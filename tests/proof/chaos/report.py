"""The tables that a chaos run ends with, from what each database's run left in a file."""

from __future__ import annotations

import json
import math
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.sections import commit

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
COUNTED = {
    "slots owed": "slots owed by schedules",
    "bodies started": "bodies that started",
    "succeeded": "slots and manual runs that succeeded",
    "skipped": "slots skipped, with the reason",
    "missed": "slots missed, with the reason",
    "lost": "runs lost with their process, with the reason",
    "cancelled": "runs cancelled",
    "failed": "runs failed",
    "run twice": "**runs executed twice**",
    "owed, not in the ledger": "**owed slots unexplained**",
    "in the ledger twice": "slots explained twice",
    "unexplained by the audit": "slots unexplained by `manage.py scheduler audit`",
    "succeeded, but no body ran": "successes without a body",
    "run, but the ledger knows nothing of it": "bodies without a row",
    "never ended": "runs that never ended",
    "bodies that started after a later term's": "bodies of a frozen process that began late",
    "tasks": "tasks whose transaction was committed",
    "tasks succeeded": "of them succeeded",
    "tasks lost": "of them lost with their process, with the reason",
    "tasks cancelled": "of them cancelled",
    "tasks failed": "of them failed",
    "tasks rolled back": "tasks whose transaction was rolled back",
    "task run twice": "**tasks executed twice**",
    "task, not in the ledger": "**tasks unexplained**",
    "task, rolled back and in the ledger": "**tasks unexplained, rolled back and yet there**",
}


def as_data(database: str, outcome: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "database": database,
        "commit": commit(),
        "options": options,
        "seconds": outcome.seconds,
        "terms": outcome.terms,
        "audited": outcome.audited,
        "figures": dict(outcome.verdict.figures),
        "reasons": dict(outcome.verdict.reasons),
        "faults": outcome.verdict.faults,
        "felt": [vars(felt) for felt in outcome.felt],
    }


def text(runs: Sequence[dict[str, Any]], stock: dict[str, int] | None) -> str:
    """The whole section, in Markdown."""
    if not runs:
        return "No run came to its end."
    commits = sorted({run["commit"] for run in runs})
    lines = [
        "## Faults",
        "",
        f"`make chaos` at {', '.join(f'`{commit}`' for commit in commits)}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}; three scheduler processes, "
        f"lease of {runs[0]['options']['ttl']:g} s. The bodies write each start and end to a file; "
        "a checker that shares no code with the scheduler compares it with the ledger.",
        "",
        *table(["", *(NAMES[run["database"]] for run in runs)], counts(runs)),
        "",
        *_gaps("Seconds from the fault to the next term, on the database's clock.", runs, True),
        *_gaps("Seconds from the end of a fault to the first body that starts.", runs, False),
        "Why runs and slots did not succeed:",
        "",
        *table(["reason", *(NAMES[run["database"]] for run in runs)], reasons(runs)),
    ]
    if stock is not None:
        lines += ["", _stock(stock)]
    return "\n".join(lines)


def read(folder: Path) -> list[dict[str, Any]]:
    files = [folder / f"{name}.json" for name in NAMES]
    return [json.loads(file.read_text()) for file in files if file.exists()]


def quantile(values: Iterable[float], q: float) -> float:
    """The nearest rank: of few values, p99 is the greatest."""
    ordered = sorted(values)
    return ordered[max(math.ceil(q * len(ordered)) - 1, 0)]


def counts(runs: Sequence[dict[str, Any]]) -> list[list[str]]:
    rows = [
        ["faults", *(str(run.get("struck", len(run["felt"]))) for run in runs)],
        ["minutes", *(f"{run['seconds'] / 60:.0f}" for run in runs)],
        ["terms, rising by one", *(str(run["terms"]) for run in runs)],
    ]
    for key, name in COUNTED.items():
        values = [run["figures"].get(key, 0) for run in runs]
        if any(values) or "wice" in name or "unexpl" in name:
            rows.append([name, *map(str, values)])
    return rows


def _gaps(title: str, runs: Sequence[dict[str, Any]], takeover: bool) -> list[str]:
    rows = _felt(runs, takeover)
    heads = ["after", "times", "p50", "p99", "max", "bound"]
    return [title, "", *table(heads, rows), ""] if rows else []


def _felt(runs: Sequence[dict[str, Any]], takeover: bool) -> list[list[str]]:
    by: dict[tuple[str, float | None], list[float]] = defaultdict(list)
    for run in runs:
        for felt in run["felt"]:
            if felt["takeover"] == takeover:
                by[felt["fault"], felt["bound"]].append(felt["seconds"])
    return [
        [name, str(len(values)), *(f"{quantile(values, q):.2f}" for q in (0.5, 0.99, 1)),
         f"{bound:g}" if bound else ""]
        for (name, bound), values in by.items()
    ]  # fmt: skip


def reasons(runs: Sequence[dict[str, Any]]) -> list[list[str]]:
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run["reasons"])
    return [
        [reason, *(str(run["reasons"].get(reason, 0)) for run in runs)]
        for reason, _ in total.most_common()
    ]


def _stock(stock: dict[str, int]) -> str:
    return (
        f"Two stock APScheduler schedulers on one `SQLAlchemyJobStore` ran {stock['stock_twice']} "
        f"of {stock['ticks']} ticks twice. The same two on our `DjangoJobStore`: "
        f"{stock['plain_twice']}. Two `runapscheduler`: {stock['ours_twice']}."
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    right = "|".join([" --- ", *[" ---: "] * (len(heads) - 1)])
    return [
        f"| {' | '.join(heads)} |",
        f"|{right}|",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
    ]
