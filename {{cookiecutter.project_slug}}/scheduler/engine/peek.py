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
from .statement import Blank, Statement


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
        """Whether something other than the queue does."""
        return (
            not self.ours
            or self.rescheduled
            or self.resign_requested
            or (self.next_due is not None and self.next_due <= now)
        )

    def is_queued(self, now: datetime) -> bool:
        """Whether runs wait for their start."""
        return self.next_queued is not None and self.next_queued <= now

    def rest(self, now: datetime, at_most: float) -> float:
        """Seconds until the next moment that is known to matter and is still to come."""
        times = [at for at in (self.next_due, self.next_queued) if at is not None and at > now]
        return min([(at - now).total_seconds() for at in times] + [at_most])


class Lookout:
    """Reads it; no lock, no write."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._statement = Statement(lease.using, lambda: _query(lease.using))

    def peek(self) -> Peek:
        lease = self._lease
        for holder, term, *rest in self._statement.rows(node=lease.node.id):
            return Peek((holder, term) == (lease.node.id, lease.term), *rest)
        return Peek(False, None, None, False, False, False)  # the row is gone: hold() decides


def _query(using: str) -> Any:
    jobs, executions = Job._base_manager.using(using), Execution._base_manager.using(using)
    asked = executions.filter(
        status=Status.RUNNING,
        cancel_requested_at__isnull=False,
        node_id=Blank("node", Execution._meta.get_field("node_id")),
    )
    return (
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
    )


def _earliest(rows: Any, column: str) -> Any:
    """A lookup in the index. Not ``MIN``: Django has no plain aggregate for a scalar subquery."""
    return rows.filter(**{f"{column}__isnull": False}).order_by(column).values(column)[:1]
