"""What a chaos run found, as a section of bench/RESULTS.md."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Gap

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "RESULTS.md"
HEAD = "| fault | times | p50 s | p99 s | max s | bound s |\n|---|---|---|---|---|---|"


def render(
    database: str, seed: int, seconds: float, gaps: Sequence[Gap], figures: Mapping[str, int],
    faults: Sequence[str],
) -> str:  # fmt: skip
    """Markdown: the verdict first, then what each kind of fault cost."""
    of: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps:
        of[gap.fault].append(gap)
    rows = [_row(name, of[name]) for name in sorted(of)]
    counted = "; ".join(f"{name}: {count}" for name, count in figures.items())
    verdict = "No fault found." if not faults else "Found: " + "; ".join(faults)
    return "\n".join([
        f"### Chaos on {database}", "",
        f"{len(gaps)} faults in {seconds:.0f} s, seed {seed}, commit {commit()}. {verdict}", "",
        f"{counted}.", "",
        "With a bound: seconds from the fault to the next term. Without: from its end to the next"
        " run.", "", HEAD, *rows,
    ])  # fmt: skip


def write(name: str, text: str, path: Path = RESULTS) -> None:
    """Put the section between its marks, or at the end; the rest of the file stays."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    section = f"{begin}\n{text}\n\n{end}"
    path.parent.mkdir(exist_ok=True)
    old = path.read_text() if path.exists() else "# Results\n"
    if begin in old:
        before, _, rest = old.partition(begin)
        new = before + section + rest.partition(end)[2]
    else:
        new = f"{old.rstrip()}\n\n{section}"
    path.write_text(new)


def commit() -> str:
    """The commit that is checked out, marked where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude", "*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _row(name: str, gaps: Sequence[Gap]) -> str:
    felt = sorted(gap.seconds for gap in gaps)
    p50, p99 = (felt[min(int(len(felt) * part), len(felt) - 1)] for part in (0.5, 0.99))
    bound = "" if gaps[0].bound is None else f"{gaps[0].bound:g}"
    return f"| {name} | {len(felt)} | {p50:.2f} | {p99:.2f} | {felt[-1]:.2f} | {bound} |"
