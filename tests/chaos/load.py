"""What the schedulers have to do meanwhile: steady jobs, one-shots, manual runs and edits."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError

from . import bodies
from .cluster import forget_connection

TENTHS = [300_000, 500_000, 800_000]
"""Microseconds between two slots of the job that is edited."""
BURST = 40
EVERY = 0.4
"""Seconds between two things that the load does."""


@dataclass(frozen=True)
class Steady:
    """A job that is never edited: its slots are plain arithmetic."""

    id: str
    interval: float
    func: Callable[..., Any] = bodies.tick
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    """Declared safe to run again after its process died."""


STEADY = [
    Steady("tick-0", 0.5),
    Steady("tick-1", 0.5, options={"coalesce": False}),
    Steady("tick-2", 0.5, options={"coalesce": False, "misfire_grace_time": 3}),
    Steady("tick-3", 0.25),
    Steady("tick-4", 1.0, options={"coalesce": False, "max_instances": 3}),
    Steady("long-0", 2.0, bodies.work, (1.4,)),
    Steady("long-1", 3.0, bodies.work, (8.0,), {"coalesce": False}),
    Steady(
        "again", 1.5, bodies.work, (0.4,), {"on_lost": "retry", "max_retries": 5}, again=True
    ),
    Steady("process", 2.0, bodies.work, (0.6,), {"executor": "processes"}),
]  # fmt: skip


def add_steady_jobs() -> datetime:
    """Returns the first slot, which all share."""
    from scheduler import scheduler

    first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    for job in STEADY:
        scheduler.add_job(
            job.func,
            "interval",
            seconds=job.interval,
            start_date=first,
            timezone="UTC",
            args=job.args,
            id=job.id,
            **job.options,
        )
    return first


class Load(threading.Thread):
    """Does something every ``EVERY`` seconds, on a connection of its own, until told to stop."""

    def __init__(self, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self._random = random.Random(seed)
        self._stop_asked = threading.Event()
        self._number = 0
        self.one_shots: dict[str, datetime] = {}
        """Jobs whose addition was confirmed, and when they are due."""
        self.manual: set[int] = set()
        """Executions whose request was confirmed."""
        self.errors: list[str] = []

    def run(self) -> None:
        steps = [self._one_shot, self._manual, self._edit, self._burst, self._cancel]
        while not self._stop_asked.wait(EVERY):
            try:
                self._random.choices(steps, weights=(8, 4, 4, 1, 1))[0]()
            except (DatabaseError, InterfaceError):
                forget_connection()
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
        connection.close()

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(60)

    def _one_shot(self) -> None:
        from scheduler import scheduler

        self._number += 1
        id, due = f"once-{self._number}", datetime.now(UTC) + timedelta(seconds=0.3)
        scheduler.add_job(bodies.once, "date", run_date=due, args=[self._number], id=id)
        self.one_shots[id] = due

    def _burst(self) -> None:
        """Many at the same moment, added together or not at all."""
        from scheduler import scheduler

        due = datetime.now(UTC) + timedelta(seconds=1.5)
        numbers = range(self._number + 1, self._number + 1 + BURST)
        self._number += BURST
        with transaction.atomic():
            for number in numbers:
                id = f"once-{number}"
                scheduler.add_job(bodies.once, "date", run_date=due, args=[number], id=id)
        self.one_shots.update({f"once-{number}": due for number in numbers})

    def _cancel(self) -> None:
        """Ask one of the runs that have not ended to stop, whichever it is."""
        from scheduler import scheduler
        from scheduler.errors import ExecutionLookupError, ExecutionStateError
        from scheduler.models import Execution

        row = Execution.objects.filter(job_id__in=["long-0", "process"]).order_by("-id").first()
        with suppress(ExecutionLookupError, ExecutionStateError):  # it is gone, or has ended
            if row is not None:
                scheduler.cancel(row.pk, requested_by="chaos")

    def _manual(self) -> None:
        from scheduler import scheduler

        self.manual.add(scheduler.run_now("tick-0", requested_by="chaos").pk)

    def _edit(self) -> None:
        from scheduler import scheduler
        from scheduler.models import Job

        row = Job.objects.filter(id="edited").first()
        seconds = self._random.choice(TENTHS) / 1_000_000
        if row is None:
            scheduler.add_job(bodies.tick, "interval", seconds=seconds, id="edited")
            return
        kind = self._random.randrange(5)
        if kind == 0:
            scheduler.reschedule_job("edited", trigger="interval", seconds=seconds)
        elif kind == 1:
            scheduler.pause_job("edited")
        elif kind == 2:
            scheduler.resume_job("edited")
        elif kind == 3:
            scheduler.remove_job("edited")
        else:
            trigger = json.loads(row.trigger) | {"microseconds": self._random.choice(TENTHS)}
            Job.objects.filter(id="edited").update(trigger=json.dumps(trigger))
