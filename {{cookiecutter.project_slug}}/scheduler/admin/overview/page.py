"""Gather what the person on call sees first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections

from ...conf import conf
from ...db.clock import now
from ...masking import scrubbed
from ...models import Execution, Job, Term
from ...models.execution import PROBLEMS, Status
from ...models.job import JobState
from ...monitoring import cluster, health
from .. import capped
from ..capped import Count
from ..display import sparkline
from ..display.labels import node_names
from ..executions.query import HEAVY
from . import forecast, lanes, timeline
from .counts import Lag, by_hour, by_outcome, start_lag

MAX_ROWS = 12
MAX_PROBLEMS_READ = 200
MAX_TERMS = 5
SHOWN_ELSEWHERE = ("no_leader", "paused", "quarantined")
"""What is not well and has a place of its own on the page, with a link."""


@dataclass(frozen=True)
class Problem:
    """Runs of one job that ended with the same message; the last of them stands for all."""

    last: Execution
    message: str
    runs: int


@dataclass(frozen=True)
class Overview:
    at: datetime
    cluster: cluster.Cluster
    terms: list[Term]
    database: str
    quarantined: int
    complaints: list[str]
    """What else is not well, as the health page says it."""
    max_lag: float
    upcoming: list[Job] | None = None
    counts: dict[str, dict[str, Count]] | None = None
    running: list[Execution] | None = None
    queued: Count | None = None
    running_now: Count | None = None
    due: health.Due | None = None
    published: Count | None = None
    """Runs that wait for a worker; None where nothing is ever published."""
    problems: list[Problem] | None = None
    timeline: timeline.Timeline | None = None
    lag: Lag | None = None
    max_problems: int = MAX_PROBLEMS_READ


def read(user: Any) -> Overview:
    """Read what ``user`` may see of the overview."""
    using, at = conf().DATABASE, now()
    found = health.read(using)
    shown: dict[str, Any] = {}
    jobs = Job.objects.using(using)
    if user.has_perm("scheduler.view_job") or user.has_perm("scheduler.change_job"):
        shown["upcoming"] = list(
            jobs.filter(state=JobState.ACTIVE, next_run_time__isnull=False).order_by(
                "next_run_time"
            )[:MAX_ROWS]
        )
    if user.has_perm("scheduler.view_execution"):
        shown |= {"due": found.due, **_executions(using, at)}
        shown["timeline"] = _timeline(using, at, shown.get("upcoming"), shown["problems"])
    return Overview(
        at=at,
        cluster=found.cluster,
        terms=list(Term.objects.using(using).order_by("-term")[:MAX_TERMS]),
        database=_database(using),
        quarantined=jobs.filter(state=JobState.QUARANTINED).count(),
        complaints=[text for kind, text in found.findings if kind not in SHOWN_ELSEWHERE],
        max_lag=conf().HEALTH_MAX_LAG,
        **shown,
    )


def _executions(using: str, at: datetime) -> dict[str, Any]:
    light = Execution.objects.using(using).defer(*HEAVY)
    running: list[Any] = list(light.filter(status=Status.RUNNING).order_by("due_at")[:MAX_ROWS])
    ended = light.filter(finished_at__isnull=False)
    last = capped.tuples(
        [ended.filter(status=s).order_by("-finished_at")[:MAX_PROBLEMS_READ] for s in PROBLEMS],
        "finished_at",
        "pk",
    )
    shown = [pk for _, pk in sorted(last, reverse=True)[:MAX_PROBLEMS_READ]]
    names = node_names({execution.node_id for execution in running})
    before = sparkline.latest({run.job_id for run in running if run.job_id}, using)
    for execution in running:
        execution.node_name = names.get(execution.node_id, "-")
        execution.usual = sparkline.usual_duration(before.get(execution.job_id, []))
    open_ones = [light.filter(status=status) for status in (Status.QUEUED, Status.RUNNING)]
    queued, now_running, published = capped.shown_counts([*open_ones, light.unclaimed()])
    return {
        "running": running,
        "queued": queued,
        "running_now": now_running,
        "published": published if published.number or conf().WORKERS else None,
        "problems": _problems(light.filter(pk__in=shown).order_by("-finished_at", "-pk")),
        "counts": by_outcome(using, at),
        "lag": start_lag(using),
    }


def _problems(executions: Iterable[Execution]) -> list[Problem]:
    groups: dict[tuple[str, str, str], list[Execution]] = {}
    for execution in executions:
        message = execution.exception or execution.reason
        groups.setdefault((execution.job_id, execution.status, message), []).append(execution)
    return [
        Problem(runs[0], scrubbed(message, runs[0]), len(runs))
        for (_, _, message), runs in list(groups.items())[:MAX_ROWS]
    ]


def _timeline(
    using: str, at: datetime, upcoming: list[Job] | None, problems: list[Problem]
) -> timeline.Timeline:
    hours = by_hour(using, at)
    shown: list[str] = []
    if upcoming is not None:  # the user may see jobs
        failed = [problem.last.job_id for problem in problems[: lanes.MAX_LANES // 2]]
        shown = list(dict.fromkeys([*failed, *(job.pk for job in upcoming)]))
    start, ahead = hours[0].start, forecast.by_hour(using, at)
    return timeline.draw(
        hours,
        at,
        ahead,
        lanes.read(using, shown, start, at, start + timeline.SPAN),
    )


def _database(using: str) -> str:
    connection = connections[using]
    return f"{connection.display_name} ({using})"
