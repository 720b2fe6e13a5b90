"""The four charts of trends: runs by outcome, start lag, durations by day, and the last runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from ... import formatting
from ...engine.maintenance import histogram
from ...engine.maintenance.trends import Figures
from ...models import Job, Term
from ...models.execution import PROBLEMS
from ..capped import Glance
from ..display.outcomes import LABELS, PASSED_OVER
from . import chart
from .chart import Chart, Columns, Event, Limit, Linear, Logarithmic, Mark, Row
from .figures import percentile
from .periods import Bin, index

OUTCOMES: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
    "succeeded": (gettext_lazy("succeeded"), gettext_lazy("%(number)s succeeded"), ("succeeded",)),
    "problems": (gettext_lazy("problems"), gettext_lazy("%(number)s problems"), PROBLEMS),
    "not_run": (
        gettext_lazy("skipped or cancelled"),
        gettext_lazy("%(number)s skipped or cancelled"),
        PASSED_OVER,
    ),
}
"""Of each colour: its word, the words for a number of such runs, and the outcomes."""


def runs(bins: Sequence[Bin], found: Sequence[Figures], lists: Sequence[str]) -> Chart:
    """Return how many runs ended in each hour or day, by outcome.

    Args:
        lists: the address of the list of each bin's executions; empty: they are deleted by now.
    """
    numbers = [
        {kind: sum(each.outcomes[s] for s in outcome[2]) for kind, outcome in OUTCOMES.items()}
        for each in found
    ]
    scale = Linear(max((sum(each.values()) for each in numbers), default=0))
    columns = Columns(len(bins))
    bars, rows = [], []
    for column, (each, number) in enumerate(zip(bins, numbers, strict=True)):
        if not any(number.values()):
            continue
        shown = {kind: formatting.number(n) for kind, n in number.items()}
        words = ", ".join(OUTCOMES[kind][1] % {"number": n} for kind, n in shown.items())
        title = f"{each.label}: {words}"
        bars.append(chart.stack(columns, column, scale, number, title, lists[column]))
        rows.append(Row(each.label, lists[column], [*shown.values()]))
    return Chart(
        "sch-runs",
        _("Runs by outcome"),
        _(
            "How many runs ended in each part of the period, stacked by outcome. "
            "Problems are failed, timed out, lost and missed runs."
        ),
        _("runs"),
        (_("Succeeded"), _("Problems"), _("Skipped or cancelled")),
        rows,
        [(kind, outcome[0]) for kind, outcome in OUTCOMES.items()],
        columns.ticks([each.short for each in bins]),
        scale.ticks(),
        bars,
    )


def start_lag(bins: Sequence[Bin], found: Sequence[Figures], lists: Sequence[str]) -> Chart:
    """Return by how much runs started late: the median and the 99th percentile."""
    series = {
        "median": (
            "p50",
            _("p50: half start sooner"),
            [histogram.percentile(f.lag_buckets, 0.5) for f in found],
        ),
        "high": (
            "p99",
            _("p99: 99 of 100 start sooner"),
            [histogram.percentile(f.lag_buckets, 0.99) for f in found],
        ),
    }
    drawn = _durations(bins, series, lists, [])
    return Chart(
        "sch-lag",
        _("Start lag"),
        _(
            "From the moment a run was due to its start: the median and the 99th percentile of "
            "each part of the period, on a logarithmic scale."
        ),
        _("time, logarithmic"),
        ("p50", "p99"),
        **drawn,
    )


def durations(
    bins: Sequence[Bin], found: Sequence[Figures], lists: Sequence[str], job: Job | None
) -> Chart:
    """Return how long runs took: median, 95th percentile and longest, with the job's limits."""
    longest = pgettext("run", "longest")
    series = {
        "median": (_("median"), _("median"), [percentile(each, 0.5) for each in found]),
        "high": ("p95", "p95", [percentile(each, 0.95) for each in found]),
        "max": (longest, longest, [each.longest if each.ran else None for each in found]),
    }
    drawn = _durations(bins, series, lists, _limits(job))
    return Chart(
        "sch-durations",
        _("Duration"),
        _(
            "How long runs took: the median, the 95th percentile and the longest of each part of "
            "the period, on a logarithmic scale."
        ),
        _("time, logarithmic"),
        (_("Median"), "p95", pgettext("run", "Longest")),
        **drawn,
    )


def last_runs(runs: Sequence[Glance], addresses: Sequence[str], job: Job | None) -> Chart:
    """Return the duration of each of the last runs, oldest first."""
    limits = _limits(job)
    took = [each.duration.total_seconds() if each.duration else 0.0 for each in runs]
    scale = Logarithmic.around([*took, *(seconds for *_words, seconds in limits)])
    columns = Columns(len(runs))
    bars, rows = [], []
    for column, (run, seconds, url) in enumerate(zip(runs, took, addresses, strict=True)):
        outcome = str(LABELS.get(run.status, run.status))
        words = f"{outcome}, {formatting.duration(seconds)}"
        title = f"#{run.pk}, {formatting.absolute(run.started_at)}: {words}"
        top = min(scale.y(seconds), chart.BOTTOM - chart.MIN_BOX)
        left = round(columns.left(column) + columns.width * 0.1, 1)
        width = round(min(columns.width * 0.8, 24), 1)
        box = chart.Box(left, top, width, round(chart.BOTTOM - top, 1), run.status)
        bars.append(Mark(title, url, [box]))
        cells = (formatting.absolute(run.started_at), outcome, formatting.duration(seconds))
        rows.append(Row(f"#{run.pk}", url, cells))
    labels = [f"#{run.pk}" for run in runs]
    kinds = dict.fromkeys(run.status for run in runs)
    return Chart(
        "sch-last",
        ngettext("Last %(number)s run that started", "Last %(number)s runs that started", len(runs))
        % {"number": len(runs)},
        _("The duration of each run, oldest first, on a logarithmic scale. Colours are outcomes."),
        _("time, logarithmic"),
        (_("Started"), _("Outcome"), _("Duration")),
        rows,
        [(kind, LABELS.get(kind, kind)) for kind in kinds],
        [columns.ticks(labels)[0], columns.ticks(labels)[-1]] if len(runs) > 1 else [],
        scale.ticks(),
        bars,
        limits=[Limit(kind, label, scale.y(seconds)) for kind, label, seconds in limits],
    )


def events(bins: Sequence[Bin], terms: Sequence[Term]) -> list[Event]:
    """Return where in the period another process took over."""
    columns, found = Columns(len(bins)), []
    for term in terms:
        column = index(bins, term.acquired_at)
        if column is None:
            continue
        each = bins[column]
        inside = (term.acquired_at - each.start) / (each.end - each.start)
        why = term.get_cause_display()
        if term.gap is not None:
            gap = _("nobody led for %(duration)s") % {"duration": formatting.duration(term.gap)}
            why = f"{why}, {gap}"
        at, process = formatting.absolute(term.acquired_at), f"{term.host}:{term.pid}"
        told = _("%(time)s: %(process)s took over (%(why)s)")
        title = told % {"time": at, "process": process, "why": why}
        found.append(Event(columns.middle(column + inside - 0.5), title))
    return found


def _durations(
    bins: Sequence[Bin],
    series: dict[str, tuple[str, str, list[float | None]]],
    lists: Sequence[str],
    limits: list[tuple[str, str, float]],
) -> dict[str, Any]:
    """Return the parts of a chart of durations over time.

    Args:
        series: short word, words of the legend, and values by kind.
    """
    every = [seconds for *_words, values in series.values() for seconds in values]
    scale = Logarithmic.around([*every, *(seconds for *_words, seconds in limits)])
    columns = Columns(len(bins))

    def point(word: str, column: int, seconds: float | None) -> Mark | None:
        if seconds is None:
            return None
        title = f"{bins[column].label}: {word} {formatting.duration(seconds)}"
        return Mark(title, lists[column], x=columns.middle(column), y=scale.y(seconds))

    lines = [
        chart.line(kind, [point(word, n, each) for n, each in enumerate(values)])
        for kind, (word, _words, values) in series.items()
    ]
    table = list(zip(*(values for *_words, values in series.values()), strict=True))
    rows = [
        Row(each.label, lists[n], [formatting.duration(seconds) for seconds in table[n]])
        for n, each in enumerate(bins)
        if any(seconds is not None for seconds in table[n])
    ]
    return {
        "rows": rows,
        "legend": [(kind, words) for kind, (_word, words, _values) in series.items()],
        "x_ticks": columns.ticks([each.short for each in bins]),
        "y_ticks": scale.ticks(),
        "lines": lines,
        "limits": [Limit(kind, label, scale.y(seconds)) for kind, label, seconds in limits],
    }


def _limits(job: Job | None) -> list[tuple[str, str, float]]:
    """Return kind, label and seconds of each limit that the job has."""
    known = (
        ("timeout", _("timeout"), job and job.timeout),
        ("warn", "warn_after", job and job.warn_after),
    )
    return [
        (kind, f"{label} {formatting.duration(seconds)}", seconds)
        for kind, label, seconds in known
        if seconds
    ]
