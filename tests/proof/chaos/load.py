"""What the schedulers have to do meanwhile: steady jobs, one-shots, manual runs and edits."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError

from . import bodies, tasks
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
    sure: bool = True
    """Succeeds now and then, however short the chaos is."""


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


def add_steady_jobs(steady: Sequence[Steady] = STEADY) -> datetime:
    """Returns the first slot, which all share."""
    from scheduler import scheduler

    first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    scheduler.add_jobs(
        {
            "func": job.func,
            "trigger": "interval",
            "seconds": job.interval,
            "start_date": first,
            "timezone": "UTC",
            "args": job.args,
            "id": job.id,
            **job.options,
        }
        for job in steady
    )
    # Slots that are over when a job is added are not owed, and the checker would look for them.
    assert datetime.now(UTC) < first, "this machine took too long to add the jobs"
    return first


class Load(threading.Thread):
    """Does something every ``EVERY`` seconds, on a connection of its own, until told to stop."""

    def __init__(self, seed: int, executor: str = "default", other: str = "processes") -> None:
        """The jobs and two of three tasks are for the one executor, the third is for the other."""
        super().__init__(name="load", daemon=True)
        self._executor, self._queues = executor, [executor, executor, other]
        self._random = random.Random(seed)
        self._stop_asked = threading.Event()
        self._number = 0
        self.one_shots: dict[str, datetime] = {}
        """Jobs whose addition was confirmed, and when they are due."""
        self.manual: set[int] = set()
        """Executions whose request was confirmed."""
        self.tasks: set[str] = set()
        """Tasks whose enqueueing was confirmed, by the id of their result."""
        self.rolled_back: set[str] = set()
        """Tasks whose transaction was given up."""
        self.errors: list[str] = []

    def run(self) -> None:
        steps = {
            self._one_shot: 8,
            self._manual: 4,
            self._edit: 4,
            self._burst: 1,
            self._cancel: 1,
            self._task: 8,
            self._tasks: 1,
        }
        while not self._stop_asked.wait(EVERY):
            try:
                self._random.choices(list(steps), list(steps.values()))[0]()
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
        scheduler.add_job(bodies.once, "date", run_date=due, args=[self._number], id=id,
                          executor=self._executor)  # fmt: skip
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
                scheduler.add_job(bodies.once, "date", run_date=due, args=[number], id=id,
                                  executor=self._executor)  # fmt: skip
        self.one_shots.update({f"once-{number}": due for number in numbers})

    def _task(self) -> None:
        """Enqueue a task of any priority, for a thread or a process; one in four is rolled back."""
        priority, keep = self._random.randint(-100, 100), self._random.random() < 0.75
        queue = self._random.choice(self._queues)
        with transaction.atomic():
            result = tasks.work.using(priority=priority, queue_name=queue).enqueue(0.4)
            if not keep:
                transaction.set_rollback(True)
        (self.tasks if keep else self.rolled_back).add(result.id)

    def _tasks(self) -> None:
        """Many tasks at the same moment, enqueued together or not at all."""
        calls: list[Any] = [((number,), {}) for number in range(BURST)]
        with transaction.atomic():
            results = tasks.once.get_backend().enqueue_many(tasks.once, calls)
        self.tasks.update(result.id for result in results)

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
            scheduler.add_job(bodies.tick, "interval", seconds=seconds, id="edited",
                              executor=self._executor)  # fmt: skip
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
