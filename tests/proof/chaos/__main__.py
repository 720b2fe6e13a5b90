"""``python -m tests.chaos``: all databases one after another, or those that are named."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.sections import write
from tests.settings import ROOT

from . import report, skew, stock

PUBLISHED = 200
"""Fewest faults a database with which ``--report`` writes to bench/RESULTS.md."""
FOLDER = ROOT / ".cache" / "chaos"


def main() -> int:
    options = _options()
    FOLDER.mkdir(parents=True, exist_ok=True)
    codes = [_run(name, options) for name in options.databases or report.NAMES]
    runs = report.read(FOLDER)
    runs = [run for run in runs if run["database"] in (options.databases or report.NAMES)]
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        compared = None if options.no_stock else stock.compare(Path(folder))
    section = report.text(runs, compared)
    print(f"\n{section}")
    if (
        options.report
        and not options.plain
        and all(len(run["felt"]) >= PUBLISHED for run in runs)
        and runs
    ):
        write("chaos", section)
        print("\nWritten to bench/RESULTS.md")
    doubled = compared is not None and compared["ours_twice"] + compared["plain_twice"] > 0
    return max([*codes, int(doubled)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.chaos", description=__doc__)
    parser.add_argument("databases", nargs="*", metavar="database", help="/".join(report.NAMES))
    parser.add_argument("--faults", type=int, default=PUBLISHED, help="a database (200)")
    parser.add_argument("--ttl", type=float, default=6.0, help="seconds of the lease (6)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults (1)")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument(
        "--plain", action="store_true", help="APScheduler's own scheduler on our job store"
    )
    parser.add_argument("--no-stock", action="store_true", help="leave out the stock schedulers")
    parser.add_argument(
        "--report", action="store_true",
        help=f"write the tables to bench/RESULTS.md, from {PUBLISHED} faults a database on",
    )  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.databases) - report.NAMES.keys():
        parser.error(f"no database {unknown.pop()!r}; known: {', '.join(report.NAMES)}")
    return options


def _run(database: str, options: argparse.Namespace) -> int:
    """In a process of its own: Django is set up for one database."""
    out = FOLDER / f"{database}.json"
    out.unlink(missing_ok=True)
    given = {name: getattr(options, name) for name in ("faults", "ttl", "seed", "only")}
    command = [sys.executable, "-m", "tests.proof.chaos.one", database, json.dumps(given), str(out)]
    with tempfile.TemporaryDirectory(prefix="skew-") as folder:
        Path(folder).chmod(0o755)  # the database's user reads it as well
        environment = {**os.environ, **skew.prepare(Path(folder))}
        environment["CHAOS_PLAIN"] = "yes" if options.plain else ""
        return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
