"""The section of RESULTS.md, from the figures that results.json keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from bench.tasks.systems import LOCK_TIMEOUT, OURS, SYSTEMS

RIVALS = tuple(name for name in SYSTEMS if name != OURS)
Runs = Mapping[str, Sequence[float]]
"""By system, the runs in their order: those of one number ran one after the other."""


def text(found: Mapping[str, Any]) -> str:
    """Return the whole section, in Markdown."""
    heads = ["", *(SYSTEMS[name].label for name in SYSTEMS), "ours to the best of them"]
    return "\n".join(
        [
            "## Tasks",
            "",
            found["machine"],
            "",
            f"Backends of Django's Tasks API on one PostgreSQL, in turn, {found['rounds']} rounds: "
            "median (least to most). End to end: from the commit of all tasks until the last has "
            "its result, with the workers of each that were fastest. Statements: as the server "
            "got them, and with BEGIN and COMMIT but in the line of the first.",
            "",
            *_lines([heads, *_rows(found)]),
            "",
            *_ways(found),
            "",
            *_killed(found["killed"]),
        ]
    )


def ratio(runs: Runs, better: Callable[..., float] = max) -> float:
    """Return the median of ours to the best rival's, round by round; with ``min`` of seconds."""
    rounds = zip(*(runs[name] for name in (OURS, *RIVALS)), strict=True)
    return median(ours / better(others) for ours, *others in rounds)


def _rows(found: Mapping[str, Any]) -> list[list[str]]:
    rates = {
        "enqueues a second, one by one": "enqueues_a_second",
        "enqueues a second, 10,000 at once": "bulk_enqueues_a_second",
        "end to end, 2,000: tasks a second": "tasks_a_second_2000",
        "end to end, 20,000: tasks a second": "tasks_a_second_20000",
    }
    rows = [
        [title, *(_spread(found[key][name]) for name in SYSTEMS), f"{ratio(found[key]):.1f} times"]
        for title, key in rates.items()
    ]
    for title, key in (("p50", "atomic_p50"), ("p99", "atomic_p99")):
        rows.append([
            f"an enqueue in `atomic()`, ms, {title}",
            *(_spread([s * 1000 for s in found[key][name]], "{:.2f}") for name in SYSTEMS),
            f"{ratio(found[key], min):.2f} of it",
        ])  # fmt: skip
    for title, key in (
        ("statements of an enqueue in `atomic()`", "enqueue_in_atomic"),
        ("statements of an enqueue alone", "enqueue"),
        ("statements of 10,000 enqueues at once", "bulk_enqueue"),
        ("statements of a task's run", "run"),
    ):
        counts = [found["statements"][name][key] for name in SYSTEMS]
        rows.append([title, *(f"{count:.0f}" if count > 99 else f"{count:.2g}" for count in counts),
                     ""])  # fmt: skip
    return rows


def _ways(found: Mapping[str, Any]) -> list[str]:
    rows = [["end to end, 2,000, by how it is started", "tasks a second"]]
    for name, ways in found["ways"].items():
        for way, rates in ways.items():
            rows.append([f"{SYSTEMS[name].label}, {way}", _spread(rates)])
    return _lines(rows)


def _killed(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    titles = {
        "interrupted": "runs that a kill interrupted",
        "ran_twice": "**tasks that ran twice**",
        "explained": "tasks recorded as lost, with the reason",
        "stuck": "**tasks stuck as running**",
        "never_started": "tasks that never started",
    }
    rows = [["", *(SYSTEMS[name].label for name in found)]]
    for key, title in titles.items():
        rows.append([title, *(str(counts[key]) for counts in found.values())])
    first = next(iter(found.values()))
    return [
        f"The same workers, killed by `kill -9` {first['kills']} times during {first['enqueued']} "
        f"tasks of 20 ms, and started again at once (django-ox with a `LOCK_TIMEOUT` of "
        f"{LOCK_TIMEOUT} s, of 300 by default):",
        "",
        *_lines(rows),
    ]


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    heads, *others = rows
    right = "|".join([" --- ", *[" ---: "] * (len(heads) - 1)])
    return [f"| {' | '.join(heads)} |", f"|{right}|", *(f"| {' | '.join(row)} |" for row in others)]


def _spread(values: Sequence[float], form: str = "{:.0f}") -> str:
    shown = [form.format(value) for value in (median(values), min(values), max(values))]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"
