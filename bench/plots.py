"""The curves in docs/bench, as SVG by matplotlib. Each names the commit that it was measured on."""

from __future__ import annotations

from typing import Any

from bench.databases import LABELS
from bench.process import ROOT
from bench.systems import LABELS as SYSTEMS
from bench.systems import OURS

FOLDER = ROOT / "docs" / "bench"


def draw(found: dict[str, Any]) -> None:
    """Write the files anew of what was measured."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "font.size": 9})
    FOLDER.mkdir(parents=True, exist_ok=True)
    if found.get("executions_a_second"):
        _executions(found)
    if found.get("start_lag_beside_stored_jobs"):
        _stored(found)
    if found.get("memory"):
        _memory(found)


def _executions(found: dict[str, Any]) -> None:
    from matplotlib import pyplot

    rates = found["executions_a_second"]
    names = list(next(iter(rates.values())))
    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        rows = [rates[kind][name]["plain"] for kind in rates]
        heights = [row["median"] or 0 for row in rows]
        spread = [
            [height - (row["least"] or 0) for height, row in zip(heights, rows, strict=True)],
            [(row["most"] or 0) - height for height, row in zip(heights, rows, strict=True)],
        ]
        at = [number + place * width for number in range(len(rates))]
        axes.bar(at, heights, width * 0.9, yerr=spread, capsize=2, label=SYSTEMS[name])
    axes.set_xticks([number + 0.4 - width / 2 for number in range(len(rates))])
    axes.set_xticklabels([LABELS[kind] for kind in rates])
    axes.set_ylabel("executions a second")
    _save(figure, axes, "executions", _commit(found, "executions_a_second"))


def _stored(found: dict[str, Any]) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    for kind, systems in found["start_lag_beside_stored_jobs"].items():
        rows = systems[OURS]
        counts = [int(label.partition("=")[2]) for label in rows]
        for name, style in (("p50", "o-"), ("p99", "s-")):
            times = [(row[name] or 0) * 1000 for row in rows.values()]
            axes.plot(counts, times, style, label=f"{LABELS[kind]}, {name}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("other jobs stored")
    axes.set_ylabel("start lag, ms")
    _save(figure, axes, "stored", _commit(found, "start_lag_beside_stored_jobs"))


def _memory(found: dict[str, Any]) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    for kind, systems in found["memory"].items():
        runs, megabytes = zip(*systems[OURS]["plain"]["readings"], strict=True)
        axes.plot(runs, megabytes, "o-", label=LABELS[kind])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("executions")
    axes.set_ylabel("memory of the process, MB")
    _save(figure, axes, "memory", _commit(found, "memory"))


def _commit(found: dict[str, Any], key: str) -> str:
    return str(found["measured"][key]["commit"])


def _save(figure: Any, axes: Any, name: str, commit: str) -> None:
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"commit {commit}", loc="right", fontsize=7)
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    figure.clear()
