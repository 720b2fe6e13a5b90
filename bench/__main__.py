"""``python -m bench``: three systems side by side, one run; writes RESULTS.md and results.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import version as package
from statistics import median
from typing import Any

from bench import databases, sections
from bench.process import ROOT, in_child
from bench.systems import DJANGO, LABELS, OURS, SQLALCHEMY

SYSTEMS = (OURS, DJANGO, SQLALCHEMY)
KINDS = (databases.SQLITE, databases.POSTGRESQL)
THROUGHPUT = {"jobs": 500, "waves": 3, "every": 6.0}
LAG = {"jobs": 200, "seconds": 20, "spread": True}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of throughput, in turn")
    options = parser.parse_args()
    rates = {kind: _throughput(kind, options.rounds) for kind in KINDS}
    lags = {kind: {name: _lag(kind, name) for name in SYSTEMS} for kind in KINDS}
    text = "\n".join([_machine(), "", _rates_table(rates), "", _lags_table(lags)])
    sections.write("bench", text)
    found = {"machine": _machine(), "executions_a_second": rates, "start_lag": lags}
    (ROOT / "bench" / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    print(text)


def _throughput(kind: str, rounds: int) -> dict[str, dict[str, Any]]:
    """The systems in turn, so that a machine that changes its speed changes it for all."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in SYSTEMS}
    for number in range(rounds):
        for name in SYSTEMS:
            found = in_child(name, kind, "throughput", THROUGHPUT)
            runs[name].append(found)
            print(f"{kind} {number + 1}: {name} {found['rates']}", flush=True)
    return {name: _summary(found) for name, found in runs.items()}


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [rate for run in runs for rate in run["rates"]]
    return {
        "median": median(rates) if rates else None,
        "rates": rates,
        "complete": all(run["complete"] for run in runs),
        "errors": [run["error"] for run in runs if run["error"]],
    }


def _lag(kind: str, name: str) -> dict[str, Any]:
    found = in_child(name, kind, "lag", LAG)
    print(f"{kind}: {name} {found}", flush=True)
    return found


def _machine() -> str:
    names = ("apscheduler", "django", "django-apscheduler", "sqlalchemy")
    versions = ", ".join(f"{name} {package(name)}" for name in names)
    servers = ", ".join(f"{databases.LABELS[kind]} {databases.version(kind)}" for kind in KINDS)
    load = os.getloadavg()[0]
    return (
        f"Commit {sections.commit()}; {os.cpu_count()} cores, load {load:.1f}; "
        f"Python {platform.python_version()}; {servers}; {versions}."
    )


def _rates_table(rates: dict[str, dict[str, dict[str, Any]]]) -> str:
    lines = [
        "### Executions a second",
        "",
        f"{THROUGHPUT['jobs']} jobs due at one moment, until the history shows every run; median. "
        "SQLAlchemyJobStore keeps no history: there the clock stops at its last event.",
        "",
        "| database | system | a second | ours is | history complete | errors |",
        "|---|---|---|---|---|---|",
    ]
    for kind, systems in rates.items():
        ours = systems[OURS]["median"]
        for name, found in systems.items():
            rate = found["median"]
            shown = f"{rate:.0f}" if rate else "none"
            ratio = f"{ours / rate:.1f} times" if ours and rate and name != OURS else ""
            complete = "none kept" if name == SQLALCHEMY else _yes(found["complete"])
            errors = "; ".join(sorted(set(found["errors"])))
            lines.append(
                f"| {databases.LABELS[kind]} | {LABELS[name]} | {shown} | {ratio} | {complete}"
                f" | {errors} |"
            )
    return "\n".join(lines)


def _lags_table(lags: dict[str, dict[str, dict[str, Any]]]) -> str:
    lines = [
        "### Start lag",
        "",
        f"{LAG['jobs']} jobs a second for {LAG['seconds']} s; from the slot to the body, in ms. "
        "Without a trace: slots of which the history says nothing.",
        "",
        "| database | system | owed | ran | without a trace | p50 | p99 | max |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, systems in lags.items():
        for name, found in systems.items():
            p50, p99, most = (_ms(found[key]) for key in ("p50", "p99", "max"))
            lines.append(
                f"| {databases.LABELS[kind]} | {LABELS[name]} | {found['owed']} | {found['ran']}"
                f" | {found['untold']} | {p50} | {p99} | {most} |"
            )
    return "\n".join(lines)


def _ms(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1000:.0f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    main()
