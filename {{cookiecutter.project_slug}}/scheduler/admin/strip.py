"""The strip of a job's last outcomes: one bar a run, its height the duration, as SVG."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.utils.safestring import SafeString, mark_safe

from ..models import Execution
from ..models.execution import Status
from . import bounded, times
from .bounded import Glance

LAST = 30
BAR, GAP, HEIGHT, LEAST = 4, 1, 24, 4
LABELS: dict[str, str] = {str(value): str(label) for value, label in Status.choices}


def latest(job_ids: Iterable[str], using: str, last: int = LAST) -> dict[str, list[Glance]]:
    """The last executions of each job, newest first, by one statement."""
    by_job: dict[str, list[Glance]] = defaultdict(list)
    querysets = [
        Execution.objects.using(using).filter(job_id=job_id).order_by("-id")[:last]
        for job_id in job_ids
    ]
    for execution in bounded.glances(querysets):
        by_job[execution.job_id].append(execution)
    for executions in by_job.values():
        executions.sort(key=lambda execution: -execution.pk)
    return by_job


def mean_duration(executions: Sequence[Glance]) -> float | None:
    """Seconds; over those that ran."""
    seconds = [e.duration.total_seconds() for e in executions if e.duration is not None]
    return sum(seconds) / len(seconds) if seconds else None


def draw(executions: Sequence[Glance]) -> SafeString | str:
    """The executions, given newest first, drawn oldest first."""
    if not executions:
        return "-"
    shown = list(reversed(executions))
    longest = max((e.duration.total_seconds() for e in shown if e.duration), default=0.0)
    width = LAST * (BAR + GAP)
    offset = width - len(shown) * (BAR + GAP)
    bars = [_bar(e, offset + n * (BAR + GAP), longest) for n, e in enumerate(shown)]
    return mark_safe(  # numbers, and labels that the code defines
        f'<svg class="sch-strip" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        f'role="img" aria-label="{summary(shown)}">{"".join(bars)}</svg>'
    )


def summary(executions: Sequence[Glance]) -> str:
    tally = Counter(LABELS.get(e.status, e.status) for e in executions)
    outcomes = ", ".join(f"{number} {label}" for label, number in tally.most_common())
    return f"Last {len(executions)}: {outcomes}"


def _bar(execution: Glance, x: int, longest: float) -> str:
    took = execution.duration
    height = LEAST
    if took is not None and longest:
        height += round((HEIGHT - LEAST) * (took.total_seconds() / longest))
    label = LABELS.get(execution.status, "")
    if took is not None:
        label += f", {times.duration(took)}"
    return (
        f'<rect class="sch-fill-{execution.status}" x="{x}" y="{HEIGHT - height}" '
        f'width="{BAR}" height="{height}"><title>{label}</title></rect>'
        if execution.status in LABELS
        else ""
    )
