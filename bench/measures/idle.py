"""What a scheduler costs that has nothing to do."""

from __future__ import annotations

import threading
from typing import Any

from bench.measures import costs
from bench.systems import System

SETTLE = 5.0
"""Seconds after the start that are not measured."""


def measure(system: System, *, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def watch() -> None:
        found.update(costs.over(seconds, after=SETTLE))
        system.stop()

    threading.Thread(target=watch, daemon=True).start()
    system.scheduler.start()
    return found
