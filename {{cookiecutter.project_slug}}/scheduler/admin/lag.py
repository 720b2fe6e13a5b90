"""Start lag: how late bodies started, over the last runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Execution
from . import bounded

LAST = 500


@dataclass(frozen=True)
class Lag:
    """Seconds; of ``runs`` runs."""

    p50: float
    p99: float
    runs: int


def start_lag(using: str, last: int = LAST) -> Lag | None:
    """None: nothing ran lately."""
    recent = Execution.objects.using(using).order_by("-id")[:last]
    lags = sorted(
        (run.started_at - run.due_at).total_seconds()
        for run in bounded.glances([recent])
        if run.started_at
    )
    if not lags:
        return None
    return Lag(_percentile(lags, 0.50), _percentile(lags, 0.99), len(lags))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
