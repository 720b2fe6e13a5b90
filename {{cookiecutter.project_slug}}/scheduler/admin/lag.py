"""Start lag: how late bodies started, over the last runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Execution

LAST = 500


@dataclass(frozen=True)
class Lag:
    """Seconds; of ``runs`` runs."""

    p50: float
    p99: float
    runs: int


def start_lag(using: str, last: int = LAST) -> Lag | None:
    """None: nothing ran lately."""
    recent = Execution.objects.using(using).order_by("-id").only("id", "due_at", "started_at")
    lags = sorted(
        execution.lag.total_seconds() for execution in recent[:last] if execution.lag is not None
    )
    if not lags:
        return None
    return Lag(_percentile(lags, 0.50), _percentile(lags, 0.99), len(lags))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
