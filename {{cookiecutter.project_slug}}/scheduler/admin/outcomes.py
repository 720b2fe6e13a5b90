"""The outcomes of executions: their order, colour class, sign and groups."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..models.execution import Status

# A sign beside the colour: nobody has to tell red from green.
SIGNS: dict[str, str] = {
    Status.QUEUED: "…",
    Status.RUNNING: "▶",
    Status.SUCCEEDED: "✓",
    Status.FAILED: "✗",
    Status.TIMED_OUT: "◔",
    Status.MISSED: "∅",
    Status.SKIPPED: "»",
    Status.LOST: "?",
    Status.CANCELLED: "⊘",
}

PROBLEMS = (Status.FAILED, Status.TIMED_OUT, Status.LOST)
NOT_RUN = (Status.MISSED, Status.SKIPPED)

# What a filter may name besides a single status.
GROUPS: dict[str, tuple[str, ...]] = {
    "open": (Status.QUEUED, Status.RUNNING),
    "problems": PROBLEMS,
    "not_run": NOT_RUN,
}


def statuses(name: str) -> tuple[str, ...]:
    """The statuses that a filter value stands for; none: every status."""
    if name in GROUPS:
        return GROUPS[name]
    return (name,) if name in Status.values else ()


def badge(status: str) -> SafeString:
    return format_html(
        '<span class="sch-badge sch-{}"><span aria-hidden="true">{}</span> {}</span>',
        status,
        SIGNS.get(status, ""),
        Status(status).label if status in Status.values else status,
    )
