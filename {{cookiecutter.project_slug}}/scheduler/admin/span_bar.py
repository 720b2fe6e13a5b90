"""The times of one execution as a bar: waiting, then running, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import Execution
from . import times

WIDTH, LEAST = 600.0, 2.0


@dataclass(frozen=True)
class Part:
    kind: str
    x: float
    width: float
    title: str


@dataclass(frozen=True)
class SpanBar:
    parts: list[Part]
    title: str


def draw(execution: Execution, now: datetime) -> SpanBar | None:
    """None for a run that was never to start."""
    due, started = execution.due_at, execution.started_at
    end = execution.finished_at or now
    if started is None and execution.finished_at is not None:
        return None
    waited = ((started or end) - due).total_seconds()
    ran = (end - started).total_seconds() if started else 0.0
    word = "waited" if started else "waiting"
    stretches = [(word, "queued", max(waited, 0.0))]
    if started:
        stretches.append(("ran", execution.status, max(ran, 0.0)))
    whole = sum(seconds for _, _, seconds in stretches) or 1.0
    parts, x = [], 0.0
    for word, kind, seconds in stretches:
        width = max(seconds / whole * (WIDTH - LEAST * len(stretches)), LEAST)
        parts.append(Part(kind, round(x, 1), round(width, 1), f"{word} {times.duration(seconds)}"))
        x += width
    return SpanBar(parts, ", ".join(part.title for part in parts))
