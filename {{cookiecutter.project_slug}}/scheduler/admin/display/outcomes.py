"""The outcomes of executions: their order, colour class, sign and groups."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ...models.execution import PROBLEMS, Status

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

NOT_RUN = (Status.MISSED, Status.SKIPPED)
PASSED_OVER = (Status.SKIPPED, Status.CANCELLED)
"""Not run, and no problem."""

# What a filter may name besides a single status.
GROUPS: dict[str, tuple[str, ...]] = {
    "open": (Status.QUEUED, Status.RUNNING),
    "problems": PROBLEMS,
    "not_run": NOT_RUN,
}


def statuses(name: str) -> tuple[str, ...]:
    """Return the statuses that a filter value stands for; none: every status."""
    if name in GROUPS:
        return GROUPS[name]
    return (name,) if name in Status.values else ()


LABELS: dict[str, Any] = {
    **{status.value: status.label for status in Status},
    "problems": gettext_lazy("problems (failed, timed out, lost, missed)"),
}


def badge(status: str) -> SafeString:
    """Draw a status as a coloured word with its sign."""
    return format_html(
        '<span class="sch-badge sch-{}"><span aria-hidden="true">{}</span>&nbsp;{}</span>',
        status,
        SIGNS.get(status, ""),
        LABELS.get(status, status),
    )
