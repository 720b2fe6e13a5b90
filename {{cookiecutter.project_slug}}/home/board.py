"""What the landing page shows of the scheduler: one reading of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import router
from django.db.models import QuerySet

from scheduler.engine.clock import db_now
from scheduler.models import Execution, Job, Lease, Node

MOST = 10_000


@dataclass(frozen=True)
class Board:
    now: datetime
    term: int
    leader: Node | None
    leading_since: datetime | None
    standbys: list[Node]
    coming: list[Job]
    recent: list[Execution]
    succeeded: str
    failed: str
    waiting: str


def read_board(rows: int = 8) -> Board:
    """The scheduler's state by the database's clock, with at most ``rows`` jobs and runs.

    Raises:
        DatabaseError: the database is away, or its tables are not there yet.
    """
    now = db_now(router.db_for_read(Lease) or "default")
    lease = Lease.objects.first() or Lease()
    held = lease.holder and lease.expires_at and lease.expires_at > now
    nodes = Node.objects.exclude(role="stopped")
    alive = [node for node in nodes if node.is_alive(now)]
    planned = Job.objects.filter(state="active", next_run_time__isnull=False)
    ended = Execution.objects.filter(finished_at__gte=now - timedelta(days=1))
    return Board(
        now=now,
        term=lease.term,
        leader=next((node for node in alive if held and node.id == lease.holder), None),
        leading_since=lease.acquired_at,
        standbys=[node for node in alive if node.role == "standby"],
        coming=list(planned.order_by("next_run_time")[:rows]),
        recent=list(Execution.objects.order_by("-id")[:rows]),
        succeeded=count(ended.filter(status="succeeded")),
        failed=count(ended.filter(status__in=["failed", "timed_out", "lost"])),
        waiting=count(Execution.objects.filter(status__in=["queued", "running"])),
    )


def count(runs: QuerySet[Execution]) -> str:
    """How many, but no more than are quickly counted."""
    number = runs.order_by()[: MOST + 1].count()
    return f"{MOST:,}+" if number > MOST else f"{number:,}"
