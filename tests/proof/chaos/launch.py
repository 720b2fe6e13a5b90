"""How a chaos run starts and ends: its options, a process of its own, what it prints."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import skew

# Not tests.settings, which names the database when it is imported: a run sets its own up later.
ROOT = Path(__file__).resolve().parents[3]
GIVEN = ("faults", "ttl", "seed", "only")
"""The options that the process of one run gets."""


def parser(
    module: str, about: str | None, names: Iterable[str], published: int
) -> argparse.ArgumentParser:
    """Options of ``python -m module``, which takes some of ``names``, or all."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    made.add_argument("names", nargs="*", metavar="name", help=", ".join(names))
    made.add_argument("--faults", type=int, default=published, help=f"of each ({published})")
    made.add_argument("--ttl", type=float, default=6.0, help="seconds of the leases (6)")
    made.add_argument("--seed", type=int, default=1, help="of the order of the faults (1)")
    made.add_argument("--only", default="", help="faults whose name contains this")
    made.add_argument(
        "--report", action="store_true",
        help=f"write the tables to bench/RESULTS.md, from {published} faults on",
    )  # fmt: skip
    return made


def parse(parser: argparse.ArgumentParser, known: Iterable[str]) -> argparse.Namespace:
    """Read the command line, and end with an error at a name that is not known."""
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"nothing is named {min(unknown)!r}; known: {', '.join(known)}")
    options.names = options.names or list(known)
    return options


def launch(module: str, name: str, out: Path, options: argparse.Namespace, **more: str) -> int:
    """Run ``module`` for ``name`` in a process of its own: Django is set up once in each.

    Returns:
        Its exit code.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    given = {each: getattr(options, each) for each in GIVEN}
    command = [sys.executable, "-m", module, name, json.dumps(given), str(out)]
    with tempfile.TemporaryDirectory(prefix="skew-") as folder:
        Path(folder).chmod(0o755)  # the database's user reads it as well
        environment = {**os.environ, **skew.prepare(Path(folder)), **more}
        return subprocess.run(command, cwd=ROOT, env=environment).returncode


def conclude(outcome: Any, folder: Path, say: Callable[[str], None]) -> int:
    """Print what was found; keep the folder if that is a fault.

    Returns:
        The exit code of the run's process.
    """
    found = outcome.verdict.faults
    for text in [*outcome.verdict.notes, *(found or ["no fault found"])]:
        say(text)
    for felt in outcome.felt:
        if felt.bound is not None and felt.seconds > felt.bound:
            what = " ".join(filter(None, [felt.fault, getattr(felt, "measure", "")]))
            say(f"LATE {what}: {felt.seconds:.2f} s > {felt.bound:g} s")
    if found:
        say(f"The logs, the record and the database are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def left_out(name: str, missing: str) -> int:
    """Say what to install; that is a failure only where CI must run all."""
    print(f"\n{name} is left out: install {missing}")
    return int(os.environ.get("CI") == "true")
