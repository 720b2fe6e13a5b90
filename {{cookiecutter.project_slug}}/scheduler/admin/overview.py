"""What the person on call sees first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections

from ..conf import conf
from ..masking import scrubbed
from ..models import Execution, Job
from ..models.execution import Status
from ..models.job import JobState
from . import bounded, health, lanes, planned, tally, timeline
from .clock import now
from .execution_query import HEAVY
from .lag import Lag, start_lag
from .nodes import node_names
from .outcomes import PROBLEMS

SHOWN = 12


@dataclass(frozen=True)
class Overview:
    at: datetime
    health: health.Health
    database: str
    quarantined: int
    upcoming: list[Job] | None = None
    counts: dict[str, dict[str, tally.Count]] | None = None
    running: list[Execution] | None = None
    queued: tally.Count | None = None
    problems: list[Execution] | None = None
    timeline: timeline.Timeline | None = None
    lag: Lag | None = None


def read(user: Any) -> Overview:
    """What ``user`` may see of it."""
    using, at = conf().DATABASE, now()
    shown: dict[str, Any] = {}
    jobs = Job.objects.using(using)
    if user.has_perm("scheduler.view_job") or user.has_perm("scheduler.change_job"):
        shown["upcoming"] = list(
            jobs.filter(state=JobState.ACTIVE, next_run_time__isnull=False).order_by(
                "next_run_time"
            )[:SHOWN]
        )
    if user.has_perm("scheduler.view_execution"):
        shown |= _executions(using, at)
        shown["timeline"] = _timeline(using, at, shown.get("upcoming"), shown["problems"])
    return Overview(
        at=at,
        health=health.read(using, at),
        database=_database(using),
        quarantined=jobs.filter(state=JobState.QUARANTINED).count(),
        **shown,
    )


def _executions(using: str, at: datetime) -> dict[str, Any]:
    light = Execution.objects.using(using).defer(*HEAVY)
    running: list[Any] = list(light.filter(status=Status.RUNNING).order_by("due_at")[:SHOWN])
    last = bounded.tuples(
        [light.filter(status=s).order_by("-finished_at")[:SHOWN] for s in PROBLEMS],
        "finished_at",
        "pk",
    )
    shown = [pk for _, pk in sorted(last, reverse=True)[:SHOWN]]
    problems: list[Any] = list(light.filter(pk__in=shown).order_by("-finished_at", "-pk"))
    for execution in problems:
        execution.why = scrubbed(execution.exception or execution.reason, execution)
    names = node_names({execution.node_id for execution in running})
    for execution in running:
        execution.node_name = names.get(execution.node_id, "-")
    queued = bounded.counts([light.filter(status=Status.QUEUED)], tally.CAP)[0]
    return {
        "running": running,
        "queued": tally.Count(queued, queued == tally.CAP),
        "problems": problems,
        "counts": tally.by_outcome(using, at),
        "lag": start_lag(using),
    }


def _timeline(
    using: str, at: datetime, upcoming: list[Job] | None, problems: list[Execution]
) -> timeline.Timeline:
    hours = tally.by_hour(using, at)
    shown: list[str] = []
    if upcoming is not None:  # the user may see jobs
        failed = [execution.job_id for execution in problems[: lanes.MOST // 2]]
        shown = list(dict.fromkeys([*failed, *(job.pk for job in upcoming)]))
    start, ahead = hours[0].start, planned.by_hour(using, at)
    return timeline.draw(
        hours,
        at,
        ahead,
        lanes.read(using, shown, start, at, start + timeline.SPAN),
    )


def _database(using: str) -> str:
    connection = connections[using]
    return f"{connection.display_name} ({using})"
