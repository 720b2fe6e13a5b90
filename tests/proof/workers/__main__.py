"""``python -m tests.proof.workers``: all combinations of engine and database, or those named."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from bench.sections import write
from tests.proof.chaos import launch
from tests.settings import ROOT

from . import report
from .engines import NAMES

PUBLISHED = 100
"""Fewest faults with which ``--report`` writes a combination to bench/RESULTS.md."""
FOLDER = ROOT / ".cache" / "chaos-workers"


def main() -> int:
    options = _options()

    def run(name: str) -> int:
        return launch.launch("tests.proof.workers.one", name, FOLDER / f"{name}.json", options)

    with ThreadPoolExecutor(options.at_once) as pool:
        codes = list(pool.map(run, options.names))
    runs = report.read(FOLDER)
    section = report.text([run for run in runs if run["name"] in options.names])
    print(f"\n{section}")
    published = [run for run in runs if run["struck"] >= PUBLISHED]
    if options.report and published:
        write("chaos of workers", report.text(published))
        print("\nWritten to bench/RESULTS.md")
    return max(codes)


def _options() -> argparse.Namespace:
    parser = launch.parser("tests.proof.workers", __doc__, NAMES, PUBLISHED)
    parser.add_argument("--at-once", type=int, default=1, help="combinations side by side (1)")
    return launch.parse(parser, NAMES)


if __name__ == "__main__":
    sys.exit(main())
