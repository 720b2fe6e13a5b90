"""Job functions one after another in the same thread of a real executor."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from django.db import connections
from scheduler.engine.executors.runner import Result, Run
from scheduler.engine.executors.threads import ThreadExecutor

BODIES = "tests.engine.executors.bodies"
TIME_LIMIT = 60.0


def run_of(
    func: str, args: Any = (), kwargs: Any = None, id: int = 1, sensitive: str = "[]"
) -> Run:
    """Return a started run of the function."""
    return Run(
        id=id,
        job_id="job",
        scheduled_run_time=None,
        attempt=1,
        term=1,
        func=func,
        args=json.dumps(args),
        kwargs=json.dumps(kwargs or {}),
        sensitive=sensitive,
    )


class OneThread:
    def __init__(self) -> None:
        self.results: SimpleQueue[Result] = SimpleQueue()
        self.executor = ThreadExecutor(slots=1)
        self.executor.connect(self.results.put, lambda term: True, lambda: datetime.now(UTC))
        self._id = 0

    def __call__(self, name: str, *args: Any, sensitive: str = "[]", **kwargs: Any) -> Result:
        """Run the function and return its result."""
        self._id += 1
        func = name if ":" in name else f"{BODIES}:{name}"
        self.executor.submit(run_of(func, args, kwargs, id=self._id, sensitive=sensitive))
        return self.results.get(timeout=TIME_LIMIT)

    def end(self) -> None:
        """Close the thread's connections, so that a test database can be dropped."""
        self.executor._put(lambda: (connections.close_all(), self.results.put(None)))  # type: ignore
        self.results.get(timeout=TIME_LIMIT)
        self.executor.shutdown()
