"""How a scheduler process feels: measured by its loop, written with each beat, shown as metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Vitals:
    """In seconds, each named as its column of ``Node``. None: there was nothing to measure."""

    renew_seconds: float | None = None
    """The statement that renewed the lease last. Of the leader only."""
    loop_lag_seconds: float | None = None
    """By how much the last beat came later than it was meant to."""
    wake_latency_seconds: float | None = None
    """From the last self-test's NOTIFY until the loop had heard it. Not where it polls."""
