"""What the landing page shows of the scheduler: one reading of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import router
from django.db.models import Count, Q

from scheduler.engine.clock import db_now
from scheduler.models import Execution, Job, Lease, Node


@dataclass(frozen=True)
class Board:
    now: datetime
    term: int
    leader: Node | None
    leading_since: datetime | None
    standbys: list[Node]
    coming: list[Job]
    recent: list[Execution]
    succeeded: int
    failed: int
    waiting: int


def read_board(rows: int = 8) -> Board:
    """The scheduler's state by the database's clock, with at most ``rows`` jobs and runs.

    Raises:
        DatabaseError: the database is away, or its tables are not there yet.
    """
    now = db_now(router.db_for_read(Lease) or "default")
    lease = Lease.objects.first() or Lease()
    held = lease.holder and lease.expires_at and lease.expires_at > now
    alive = [node for node in Node.objects.all() if now - node.beat_at < timedelta(0, node.ttl)]
    return Board(
        now=now,
        term=lease.term,
        leader=next((node for node in alive if held and node.id == lease.holder), None),
        leading_since=lease.acquired_at,
        standbys=[node for node in alive if node.role == "standby"],
        coming=list(
            Job.objects.filter(state="active", next_run_time__isnull=False).order_by(
                "next_run_time"
            )[:rows]
        ),
        recent=list(Execution.objects.order_by("-id")[:rows]),
        **count_runs(now - timedelta(days=1)),
    )


def count_runs(since: datetime) -> dict[str, int]:
    """Runs by outcome since ``since``, and those that wait or run now."""
    return Execution.objects.aggregate(
        succeeded=Count("id", filter=Q(status="succeeded", finished_at__gte=since)),
        failed=Count(
            "id", filter=Q(status__in=["failed", "timed_out", "lost"], finished_at__gte=since)
        ),
        waiting=Count("id", filter=Q(status__in=["queued", "running"])),
    )
