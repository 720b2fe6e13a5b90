"""What a chaos run found, as a section of bench/RESULTS.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.sections import commit

if TYPE_CHECKING:
    from .run import Gap

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


def _row(name: str, gaps: Sequence[Gap]) -> str:
    felt = sorted(gap.seconds for gap in gaps)
    p50, p99 = (felt[min(int(len(felt) * part), len(felt) - 1)] for part in (0.5, 0.99))
    bound = "" if gaps[0].bound is None else f"{gaps[0].bound:g}"
    return f"| {name} | {len(felt)} | {p50:.2f} | {p99:.2f} | {felt[-1]:.2f} | {bound} |"
