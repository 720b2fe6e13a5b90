"""How long the results of tasks are kept. Imports no Tasks API, which a project need not have."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

RESULTS_KEPT = timedelta(hours=1)
"""Whoever enqueued a task may still ask for its result: younger ones are not deleted by count."""


def kept_for() -> dict[str, timedelta]:
    """Return the ``keep_days`` of each backend in ``TASKS`` that has them."""
    backends = getattr(settings, "TASKS", None) or {}
    days = {alias: params.get("OPTIONS", {}).get("keep_days") for alias, params in backends.items()}
    return {alias: timedelta(days=number) for alias, number in days.items() if number is not None}
