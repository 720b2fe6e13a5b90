"""The strip of a job's last outcomes: one bar a run, its height the duration, as SVG."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ... import formatting
from ...models import Execution
from ...models.execution import Status
from .. import capped
from ..capped import Glance

LAST_RUNS = 30
BAR, GAP, HEIGHT, MIN_BAR = 4, 1, 24, 4
LABELS: dict[str, Any] = {status.value: status.label for status in Status}


def latest(job_ids: Iterable[str], using: str, last: int = LAST_RUNS) -> dict[str, list[Glance]]:
    """Read the last executions of each job, newest first, by one statement."""
    by_job: dict[str, list[Glance]] = defaultdict(list)
    querysets = [
        Execution.objects.using(using).filter(job_id=job_id).order_by("-id")[:last]
        for job_id in job_ids
    ]
    for execution in capped.glances(querysets):
        by_job[execution.job_id].append(execution)
    for executions in by_job.values():
        executions.sort(key=lambda execution: -execution.pk)
    return by_job


def mean_duration(executions: Sequence[Glance]) -> float | None:
    """Return the mean duration of those that ran, in seconds."""
    seconds = [e.duration.total_seconds() for e in executions if e.duration is not None]
    return sum(seconds) / len(seconds) if seconds else None


def usual_duration(executions: Sequence[Glance]) -> float | None:
    """Return the median duration of those that ran, in seconds."""
    seconds = [e.duration.total_seconds() for e in executions if e.duration is not None]
    return median(seconds) if seconds else None


def draw(executions: Sequence[Glance]) -> SafeString | str:
    """Draw the executions, given newest first, as SVG, the oldest first."""
    if not executions:
        return "-"
    shown = list(reversed(executions))
    longest = max((e.duration.total_seconds() for e in shown if e.duration), default=0.0)
    width = LAST_RUNS * (BAR + GAP)
    offset = width - len(shown) * (BAR + GAP)
    bars = [_bar(e, offset + n * (BAR + GAP), longest) for n, e in enumerate(shown)]
    return mark_safe(  # noqa: S308  (numbers, and words that are escaped)
        f'<svg class="sch-strip" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(summary(shown))}">{"".join(bars)}</svg>'
    )


def summary(executions: Sequence[Glance]) -> str:
    """Describe the executions in words, for those who do not see the picture."""
    tally = Counter(str(LABELS.get(e.status, e.status)) for e in executions)
    outcomes = ", ".join(f"{number} {label}" for label, number in tally.most_common())
    return _("Last %(number)s: %(outcomes)s") % {"number": len(executions), "outcomes": outcomes}


def _bar(execution: Glance, x: int, longest: float) -> str:
    took = execution.duration
    height = MIN_BAR
    if took is not None and longest:
        height += round((HEIGHT - MIN_BAR) * (took.total_seconds() / longest))
    label = str(LABELS.get(execution.status, ""))
    if took is not None:
        label += f", {formatting.duration(took)}"
    return (
        f'<rect class="sch-fill-{execution.status}" x="{x}" y="{HEIGHT - height}" '
        f'width="{BAR}" height="{height}"><title>{escape(label)}</title></rect>'
        if execution.status in LABELS
        else ""
    )
