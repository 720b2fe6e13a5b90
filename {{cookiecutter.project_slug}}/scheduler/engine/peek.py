"""The idle turn: one statement that says when the next slot is due and who asks for attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, Subquery

from ..models import Execution, Job
from ..models import Lease as Row
from ..models.execution import Status
from ..models.job import JobState
from .lease import Lease


@dataclass(frozen=True)
class Peek:
    """What one look at the tables says. Times are None where there is nothing."""

    ours: bool
    next_due: datetime | None
    next_queued: datetime | None
    rescheduled: bool
    cancelling: bool
    resign_requested: bool

    def wants_turn(self, now: datetime) -> bool:
        return (
            not self.ours
            or self.rescheduled
            or self.resign_requested
            or any(at is not None and at <= now for at in (self.next_due, self.next_queued))
        )

    def rest(self, now: datetime, at_most: float) -> float:
        """Seconds until the next moment that is known to matter."""
        times = [at for at in (self.next_due, self.next_queued) if at is not None]
        until = min(((at - now).total_seconds() for at in times), default=at_most)
        return max(min(until, at_most), 0.0)


def peek(lease: Lease) -> Peek:
    """Read it; no lock, no write."""
    using, node_id = lease.using, lease.node.id
    jobs, executions = Job._base_manager.using(using), Execution._base_manager.using(using)
    asked = executions.filter(
        status=Status.RUNNING, cancel_requested_at__isnull=False, node_id=node_id
    )
    row: Any = (
        Row._base_manager.using(using)
        .filter(pk=1)
        .values_list(
            "holder",
            "term",
            Subquery(_earliest(jobs.filter(state=JobState.ACTIVE), "next_run_time")),
            Subquery(_earliest(executions.filter(status=Status.QUEUED), "due_at")),
            Exists(jobs.exclude(trigger=F("planned_trigger"))),
            Exists(asked),
            "resign_requested",
        )
        .get()
    )
    return Peek((row[0], row[1]) == (node_id, lease.term), *row[2:])


def _earliest(rows: Any, column: str) -> Any:
    """A lookup in the index. Not ``MIN``: Django has no plain aggregate for a scalar subquery."""
    return rows.filter(**{f"{column}__isnull": False}).order_by(column).values(column)[:1]
