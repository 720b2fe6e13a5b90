"""Measure systems side by side, and write RESULTS.md, results.json and plots after each section.

``python -m bench`` measures the whole; with the names of sections, these, beside what was measured
before. A section that breaks is named at the end, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version as package
from statistics import median
from typing import Any

from bench import databases, plots, sections, surroundings, tables
from bench.plans import PLANS, TRIED, Plan, chosen
from bench.process import in_child

TRIED_PLACES = slice(0, 2)
"""Of the cases of a plan, those that a trial runs."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(_keys()))
    parser.add_argument("--long", action="store_true", help="those too that take minutes each")
    parser.add_argument("--resume", action="store_true", help="skip what this commit measured")
    parser.add_argument("--rounds", type=int, help="of the plans that alternate systems")
    parser.add_argument(
        "--try", action="store_true", dest="is_trial", help="at a small scale; write no file"
    )
    options = parser.parse_args()
    try:
        plans = chosen(options.sections, long=options.long)
    except ValueError as error:
        parser.error(str(error))
    found_here = {kind: surroundings.version_or_none(kind) for kind in databases.MEASURED}
    versions = {kind: version for kind, version in found_here.items() if version}
    commit, machine = sections.commit(), _machine(versions)
    if options.resume:
        done = sections.read_figures().get("measured", {})
        plans = [plan for plan in plans if done.get(plan.key, {}).get("commit") != commit]
    broken = []
    began = time.monotonic()
    for number, plan in enumerate(plans, 1):
        _say(began, f"{plan.key} ({number} of {len(plans)})")
        section_began, load = time.monotonic(), os.getloadavg()[0]
        try:
            found = _measured(plan, tuple(versions), options.rounds, options.is_trial, began)
        except (RuntimeError, subprocess.SubprocessError) as error:
            _say(began, f"{plan.key} broke: {error}")
            broken.append(plan.key)
            continue
        if not options.is_trial:
            about = {
                "commit": commit,
                "machine": machine,
                "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
                "load": round(load, 1),
                "seconds": round(time.monotonic() - section_began),
            }
            _publish(plan.key, found, about)
    _say(began, "done" + (f"; broken: {', '.join(broken)}" if broken else ""))
    sys.exit(bool(broken))


def _keys() -> list[str]:
    return [plan.key for plan in PLANS]


def _say(began: float, text: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f"[{minutes:02}:{seconds:02}] {text}", flush=True)


def _publish(key: str, found: dict[str, Any], about: dict[str, Any]) -> None:
    """Write what one section found beside all that was found before."""
    measured = sections.read_figures().get("measured", {}) | {key: about}
    sections.write_figures({key: found, "measured": measured})
    everything = sections.read_figures()
    plots.draw(everything)
    sections.write("bench", tables.text(everything))


def _measured(
    plan: Plan, kinds: tuple[str, ...], rounds: int | None, is_trial: bool, began: float
) -> dict[str, Any]:
    """By database, system and case."""
    times = rounds if rounds and plan.rounds > 1 else plan.rounds
    cases = plan.cases[TRIED_PLACES] if is_trial else plan.cases
    found: dict[str, Any] = {}
    for kind in (kind for kind in plan.databases if kind in kinds):
        runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for number in range(1 if is_trial else times):
            for name in plan.systems:
                for case in cases:
                    size = {**plan.size, **case}
                    if is_trial:
                        size |= {what: TRIED[what] for what in size.keys() & TRIED.keys()}
                    run = in_child(name, kind, plan.measure, size, plan.delay)
                    label = " ".join(f"{what}={count}" for what, count in case.items()) or "plain"
                    runs.setdefault(name, {}).setdefault(label, []).append(run)
                    shown = json.dumps(run)
                    _say(began, f"{plan.key} {kind} {number + 1} {name} {label}: {shown}")
        found[kind] = {
            name: {label: _summary(each) for label, each in cases.items()}
            for name, cases in runs.items()
        }
    return found


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Rates of all rounds together, with their spread; of what has none, the only run."""
    if "rates" not in runs[0]:
        return runs[-1]
    rates = sorted(rate for run in runs for rate in run["rates"])
    return {
        "median": median(rates) if rates else None,
        "least": rates[0] if rates else None,
        "most": rates[-1] if rates else None,
        "rates": rates,
        "complete": all(run["complete"] for run in runs),
        "errors": sorted({run["error"] for run in runs if run["error"]}),
    }


def _machine(versions: dict[str, str]) -> str:
    names = ("apscheduler", "django", "django-apscheduler", "sqlalchemy")
    packages = ", ".join(f"{name} {package(name)}" for name in names)
    servers = ", ".join(f"{databases.LABELS[kind]} {version}" for kind, version in versions.items())
    return f"{os.cpu_count()} cores; Python {platform.python_version()}; {servers}; {packages}"


if __name__ == "__main__":
    main()
