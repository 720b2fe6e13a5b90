"""The idle turn: one statement that says when the next slot is due and who asks for attention."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, Subquery

from ..db.prepared import Param, PreparedQuery
from ..models import Execution, Job, Lease
from ..models.execution import WAITING, Status
from ..models.job import JobQuerySet, JobState
from .leadership.lease import LeaseHolder
from .ledger.slots import ClaimResult


@dataclass(frozen=True)
class Poll:
    """What one poll of the tables returned. Times are None where there is nothing."""

    ours: bool
    next_due: datetime | None
    rescheduled: bool
    cancelling: datetime | None
    """When a run was due that somebody asked to stop, if there is one."""
    resign_requested: bool
    paused_at: datetime | None = None
    """Since when the cluster is paused: then nothing that is due is a reason for a turn."""
    queued: Mapping[str, datetime | None] = field(default_factory=dict)
    """When the first run is due that is queued for each executor that had room."""

    def wants_turn(self, now: datetime) -> bool:
        """Return whether there is something for the leader to do now."""
        if not self.ours or self.resign_requested:
            return True
        if self.paused_at is not None:
            return False
        return self.rescheduled or self.is_queued(now) or self.is_due(now)

    def is_due(self, now: datetime) -> bool:
        """Return whether a job is due."""
        return self.next_due is not None and self.next_due <= now

    def is_queued(self, now: datetime) -> bool:
        """Return whether runs are queued for executors that have room."""
        return bool(self.queued_for(now))

    def queued_for(self, now: datetime) -> set[str]:
        """Return the executors that have room and for which runs are queued."""
        return {alias for alias, at in self.queued.items() if at is not None and at <= now}

    def still_holds(self, executors: Collection[str]) -> bool:
        """Return whether this poll looked at the queue of these executors."""
        return self.queued.keys() >= set(executors)

    def after(self, claimed: ClaimResult) -> Poll | None:
        """Return what is known after a turn without another look. None: nothing.

        Only a long queue stays as it was: it holds more, and nothing else was touched.
        """
        if self.rescheduled or claimed.due or not claimed.more:
            return None
        return self

    def rest(self, now: datetime, at_most: float) -> float:
        """Return the seconds until the next moment that is known to matter and is still to come."""
        known = (self.next_due, *self.queued.values())
        times = [at for at in known if at is not None and at > now]
        return min([(at - now).total_seconds() for at in times] + [at_most])


class Poller:
    """Polls the tables without a lock or a write."""

    def __init__(self, lease: LeaseHolder) -> None:
        self._lease = lease
        self._statements: dict[tuple[str, ...], PreparedQuery] = {}

    def poll(self, executors: tuple[str, ...]) -> Poll:
        """Look at the tables once.

        Args:
            executors: those that have room; what is queued for others is no reason for a turn.
        """
        lease = self._lease
        rows = self._statement(executors).rows(node=lease.node.id)
        for holder, term, *rest in rows:
            ours = (holder, term) == (lease.node.id, lease.term)
            known, queued = rest[: -len(executors) or None], rest[len(rest) - len(executors) :]
            return replace(Poll(ours, *known), queued=dict(zip(executors, queued, strict=True)))
        return Poll(False, None, False, None, False)  # the row is gone: hold() decides

    def _statement(self, executors: tuple[str, ...]) -> PreparedQuery:
        if executors not in self._statements:
            using = self._lease.using
            self._statements[executors] = PreparedQuery(using, lambda: _query(using, executors))
        return self._statements[executors]


def _query(using: str, executors: tuple[str, ...]) -> Any:
    jobs, executions = Job._base_manager.using(using), Execution._base_manager.using(using)
    queued = executions.filter(WAITING)
    asked = executions.filter(
        status=Status.RUNNING,
        cancel_requested_at__isnull=False,
        node_id=Param("node", Execution._meta.get_field("node_id")),
    )
    return (
        Lease._base_manager.using(using)
        .filter(pk=1)
        .values_list(
            "holder",
            "term",
            Subquery(_earliest(jobs.filter(state=JobState.ACTIVE), "next_run_time")),
            Exists(JobQuerySet(Job, using=using).rescheduled()),
            # In the order of an index: SQLite's statistics see no difference between few running
            # rows and a long queue, and would have it read the table.
            Subquery(_earliest(asked, "due_at")),
            "resign_requested",
            "paused_at",
            # One by one: a search among several would read past all that waits for the others.
            *(Subquery(_earliest(queued.filter(executor=one), "due_at")) for one in executors),
        )
    )


def _earliest(rows: Any, column: str) -> Any:
    """Select the earliest time by the index.

    Not by ``MIN``: Django has no plain aggregate for a scalar subquery.
    """
    return rows.filter(**{f"{column}__isnull": False}).order_by(column).values(column)[:1]
