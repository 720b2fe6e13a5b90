"""``python -m tests.proof.workers``: all combinations of engine and database, or those named."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.sections import write
from tests.proof.chaos import skew
from tests.settings import ROOT

from . import report
from .engines import NAMES

PUBLISHED = 100
"""Fewest faults a combination with which ``--report`` writes to bench/RESULTS.md."""
FOLDER = ROOT / ".cache" / "chaos-workers"


def main() -> int:
    options = _options()
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = options.combinations or list(NAMES)
    with ThreadPoolExecutor(options.at_once) as pool:
        codes = list(pool.map(lambda name: _run(name, options), names))
    runs = report.read(FOLDER)
    section = report.text([run for run in runs if run["name"] in names])
    print(f"\n{section}")
    whole = [run["name"] for run in runs if run["struck"] >= PUBLISHED] == list(NAMES)
    if options.report and whole:
        write("chaos of workers", report.text(runs))
        print("\nWritten to bench/RESULTS.md")
    return max(codes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.workers", description=__doc__)
    parser.add_argument("combinations", nargs="*", metavar="combination", help=", ".join(NAMES))
    parser.add_argument("--faults", type=int, default=PUBLISHED, help="a combination (100)")
    parser.add_argument("--ttl", type=float, default=6.0, help="seconds of the leases (6)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults (1)")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--at-once", type=int, default=1, help="combinations side by side (1)")
    parser.add_argument(
        "--report", action="store_true",
        help=f"write the tables to bench/RESULTS.md, once all have met {PUBLISHED} faults",
    )  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.combinations) - NAMES.keys():
        parser.error(f"no combination {unknown.pop()!r}; known: {', '.join(NAMES)}")
    return options


def _run(name: str, options: argparse.Namespace) -> int:
    """In a process of its own: Django is set up for one combination."""
    out = FOLDER / f"{name}.json"
    out.unlink(missing_ok=True)
    given = {name: getattr(options, name) for name in ("faults", "ttl", "seed", "only")}
    command = [sys.executable, "-m", "tests.proof.workers.one", name, json.dumps(given), str(out)]
    with tempfile.TemporaryDirectory(prefix="skew-") as folder:
        Path(folder).chmod(0o755)  # the database's user reads it as well
        environment = {**os.environ, **skew.prepare(Path(folder))}
        return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
