"""What the landing page shows of the scheduler: one reading of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from scheduler.conf import conf
from scheduler.formatting import number as written
from scheduler.models import Execution, Job
from scheduler.models.execution import PROBLEMS
from scheduler.monitoring import cluster
from scheduler.monitoring.cluster import Cluster

MAX_COUNTED = 5_000  # as many as the admin's overview counts, so that both say the same


@dataclass(frozen=True)
class Activity:
    """What runs: its names are for insiders."""

    coming: list[Job]
    recent: list[Execution]
    succeeded: str
    problems: str
    queued: str
    running: str


@dataclass(frozen=True)
class Board:
    cluster: Cluster
    activity: Activity | None


def read_board(insider: bool) -> Board:
    """Return the scheduler's state by the database's clock, for insiders with its activity.

    Raises:
        DatabaseError: the database is away, or its tables are not there yet.
    """
    processes = cluster.read(conf().DATABASE)
    return Board(processes, read_activity(processes.now) if insider else None)


def read_activity(now: datetime, rows: int = 8) -> Activity:
    """Return at most ``rows`` jobs and runs, and the numbers of the last 24 hours."""
    planned = Job.objects.filter(state="active", next_run_time__isnull=False)
    ended = Execution.objects.filter(finished_at__gte=now - timedelta(days=1))
    return Activity(
        coming=list(planned.order_by("next_run_time")[:rows]),
        recent=list(Execution.objects.order_by("-id")[:rows]),
        succeeded=count(ended.filter(status="succeeded")),
        problems=count(ended.filter(status__in=PROBLEMS)),
        queued=count(Execution.objects.filter(status="queued")),
        running=count(Execution.objects.filter(status="running")),
    )


def count(runs: QuerySet[Execution]) -> str:
    """Return how many, but no more than are quickly counted."""
    number = runs.order_by()[:MAX_COUNTED].count()
    return f"{written(number)}+" if number == MAX_COUNTED else written(number)
