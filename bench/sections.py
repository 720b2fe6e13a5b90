"""bench/RESULTS.md is made of sections, each written anew by the program that measured it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "RESULTS.md"
FIGURES = ROOT / "bench" / "results.json"
WRITTEN = (":!bench/RESULTS.md", ":!bench/results.json", ":!docs/bench")


def write(name: str, text: str, path: Path | None = None) -> None:
    """Put the section between its marks, or at the end; the rest of the file stays."""
    path = path or RESULTS
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    section = f"{begin}\n{text}\n\n{end}"
    old = path.read_text() if path.exists() else "# Results\n"
    if begin in old:
        before, _, rest = old.partition(begin)
        new = before + section + rest.partition(end)[2]
    else:
        new = f"{old.rstrip()}\n\n{section}"
    path.write_text(new)


def read_figures(path: Path | None = None) -> dict[str, Any]:
    """Return all that was measured, by its key."""
    path = path or FIGURES
    figures: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return figures


def write_figures(found: Mapping[str, Any], path: Path | None = None) -> None:
    """Put them under their keys; those of other programs stay."""
    path = path or FIGURES
    path.write_text(json.dumps({**read_figures(path), **found}, indent=2) + "\n")


def commit() -> str:
    """Return the commit that is checked out, marked where files differ from it.

    Not those that the measurements themselves write.
    """
    name = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN)
    return (name or "unknown") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    command = ["git", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
