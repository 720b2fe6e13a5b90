"""The strip of a job's last outcomes: one bar a run, its height the duration, as SVG."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..models import Execution
from ..models.execution import Status
from . import bounded, times

LAST = 30
BAR, GAP, HEIGHT, LEAST = 4, 1, 24, 4
COLUMNS = ("id", "job_id", "status", "started_at", "finished_at", "slots")


def latest(job_ids: Iterable[str], using: str, last: int = LAST) -> dict[str, list[Execution]]:
    """The last executions of each job, newest first, by one statement."""
    by_job: dict[str, list[Execution]] = defaultdict(list)
    querysets = [
        Execution.objects.using(using).filter(job_id=job_id).order_by("-id").only(*COLUMNS)[:last]
        for job_id in job_ids
    ]
    for execution in bounded.rows(querysets):
        by_job[execution.job_id].append(execution)
    for executions in by_job.values():
        executions.sort(key=lambda execution: -execution.pk)
    return by_job


def mean_duration(executions: Sequence[Execution]) -> float | None:
    """Seconds; over those that ran."""
    seconds = [e.duration.total_seconds() for e in executions if e.duration is not None]
    return sum(seconds) / len(seconds) if seconds else None


def draw(executions: Sequence[Execution]) -> SafeString | str:
    """The executions, given newest first, drawn oldest first."""
    if not executions:
        return "-"
    shown = list(reversed(executions))
    longest = max((e.duration.total_seconds() for e in shown if e.duration), default=0.0)
    width = LAST * (BAR + GAP)
    offset = width - len(shown) * (BAR + GAP)
    bars = [_bar(e, offset + n * (BAR + GAP), longest) for n, e in enumerate(shown)]
    return format_html(
        '<svg class="sch-strip" viewBox="0 0 {} {}" width="{}" height="{}" role="img" '
        'aria-label="{}">{}</svg>',
        width,
        HEIGHT,
        width,
        HEIGHT,
        summary(shown),
        format_html_join(
            "",
            '<rect class="sch-fill-{}" x="{}" y="{}" width="{}" height="{}">'
            "<title>{}</title></rect>",
            bars,
        ),
    )


def summary(executions: Sequence[Execution]) -> str:
    tally = Counter(Status(e.status).label for e in executions)
    outcomes = ", ".join(f"{number} {label}" for label, number in tally.most_common())
    return f"Last {len(executions)}: {outcomes}"


def _bar(execution: Execution, x: int, longest: float) -> tuple[str, int, int, int, int, str]:
    seconds = execution.duration.total_seconds() if execution.duration else 0.0
    height = LEAST + round((HEIGHT - LEAST) * (seconds / longest)) if longest else LEAST
    label = Status(execution.status).label
    if execution.started_at:
        label += f", {times.absolute(execution.started_at)}, {times.duration(execution.duration)}"
    return (execution.status, x, HEIGHT - height, BAR, height, label)
