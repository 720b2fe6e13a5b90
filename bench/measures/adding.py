"""Jobs added a second: one transaction each, in one transaction, and all by one call."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.systems import System


def measure(system: System, *, jobs: int, many: int) -> dict[str, Any]:
    from django.db import transaction
    from scheduler import scheduler as client

    def alone() -> None:
        for job in _jobs("alone", jobs):
            client.add_job(**job)

    def together() -> None:
        with transaction.atomic():
            for job in _jobs("together", jobs):
                client.add_job(**job)

    return {
        "alone": _rate(jobs, alone),
        "in_one_transaction": _rate(jobs, together),
        "add_jobs": _rate(many, lambda: client.add_jobs(_jobs("many", many))),
    }


def _rate(jobs: int, add: Callable[[], object]) -> float:
    began = time.perf_counter()
    add()
    return jobs / (time.perf_counter() - began)


def _jobs(name: str, count: int) -> list[dict[str, Any]]:
    from bench.work import noop

    at = datetime.now(UTC) + timedelta(days=1)
    return [
        {"func": noop, "trigger": "date", "run_date": at, "id": f"{name}-{n}"} for n in range(count)
    ]
