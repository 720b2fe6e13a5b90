"""``python -m tests.proof.chaos``: all databases one after another, or those that are named."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.sections import write
from tests.settings import ROOT

from . import launch, report, stock

PUBLISHED = 200
"""Fewest faults a database with which ``--report`` writes to bench/RESULTS.md."""
FOLDER = ROOT / ".cache" / "chaos"


def main() -> int:
    options = _options()
    plain = "yes" if options.plain else ""
    codes = [
        launch.launch(
            "tests.proof.chaos.one", name, FOLDER / f"{name}.json", options, CHAOS_PLAIN=plain
        )
        for name in options.names
    ]
    runs = [run for run in report.read(FOLDER) if run["database"] in options.names]
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
    parser = launch.parser("tests.proof.chaos", __doc__, report.NAMES, PUBLISHED)
    parser.add_argument(
        "--plain", action="store_true", help="APScheduler's own scheduler on our job store"
    )
    parser.add_argument("--no-stock", action="store_true", help="leave out the stock schedulers")
    return launch.parse(parser, report.NAMES)


if __name__ == "__main__":
    sys.exit(main())
