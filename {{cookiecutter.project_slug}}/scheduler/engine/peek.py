"""The idle turn: one statement that says when the next slot is due and who asks for attention."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, Subquery, Value

from ..models import Execution, Job
from ..models import Lease as Row
from ..models.execution import Status
from ..models.job import JobQuerySet, JobState
from .clock import monotonic
from .lease import Lease
from .slots import Claimed
from .statement import Blank, Statement

SCAN_EVERY = 0.02
"""Seconds between two looks for changed triggers, which no index answers: all jobs are read ..."""
SCAN_SHARE = 20
"""... and where they are so many that it takes long, this many times as long: the leader's chores
look as well."""


@dataclass(frozen=True)
class Peek:
    """What one look at the tables says. Times are None where there is nothing."""

    ours: bool
    next_due: datetime | None
    next_queued: datetime | None
    rescheduled: bool
    cancelling: bool
    resign_requested: bool
    executors: frozenset[str] = frozenset()
    """Those that had room; what is queued for others was not looked at."""

    def wants_turn(self, now: datetime) -> bool:
        return (
            not self.ours
            or self.rescheduled
            or self.resign_requested
            or self.is_queued(now)
            or self.is_due(now)
        )

    def is_due(self, now: datetime) -> bool:
        return self.next_due is not None and self.next_due <= now

    def is_queued(self, now: datetime) -> bool:
        """Whether runs wait that have room."""
        return self.next_queued is not None and self.next_queued <= now

    def still_holds(self, executors: Collection[str]) -> bool:
        """Whether it says something about these executors."""
        return self.executors.issuperset(executors)

    def after(self, claimed: Claimed) -> Peek | None:
        """What is known after a turn without another look. None: nothing.

        Only a long queue stays as it was: it holds more, and nothing else was touched.
        """
        if self.rescheduled or claimed.due or not claimed.more:
            return None
        return self

    def rest(self, now: datetime, at_most: float) -> float:
        """Seconds until the next moment that is known to matter and is still to come."""
        times = [at for at in (self.next_due, self.next_queued) if at is not None and at > now]
        return min([(at - now).total_seconds() for at in times] + [at_most])


class Lookout:
    """Reads it; no lock, no write."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._statements: dict[tuple[tuple[str, ...], bool], Statement] = {}
        self._scan_at = 0.0

    def peek(self, executors: tuple[str, ...]) -> Peek:
        """Look once.

        Args:
            executors: those that have room; what is queued for others is no reason for a turn.
        """
        lease, began = self._lease, monotonic()
        scan = began >= self._scan_at
        rows = self._statement(executors, scan).rows(node=lease.node.id)
        if scan:
            now = monotonic()
            self._scan_at = now + max(SCAN_EVERY, SCAN_SHARE * (now - began))
        for holder, term, *rest in rows:
            ours = (holder, term) == (lease.node.id, lease.term)
            return replace(Peek(ours, *rest), executors=frozenset(executors))
        return Peek(False, None, None, False, False, False)  # the row is gone: hold() decides

    def _statement(self, executors: tuple[str, ...], scan: bool) -> Statement:
        key = executors, scan
        if key not in self._statements:
            using = self._lease.using
            self._statements[key] = Statement(using, lambda: _query(using, executors, scan))
        return self._statements[key]


def _query(using: str, executors: tuple[str, ...], scan: bool) -> Any:
    jobs, executions = Job._base_manager.using(using), Execution._base_manager.using(using)
    queued = executions.filter(status=Status.QUEUED, executor__in=executors)
    asked = executions.filter(
        status=Status.RUNNING,
        cancel_requested_at__isnull=False,
        node_id=Blank("node", Execution._meta.get_field("node_id")),
    )
    rescheduled: Any = Value(False)
    if scan:
        rescheduled = Exists(JobQuerySet(Job, using=using).rescheduled())
    return (
        Row._base_manager.using(using)
        .filter(pk=1)
        .values_list(
            "holder",
            "term",
            Subquery(_earliest(jobs.filter(state=JobState.ACTIVE), "next_run_time")),
            Subquery(_earliest(queued, "due_at")),
            rescheduled,
            Exists(asked),
            "resign_requested",
        )
    )


def _earliest(rows: Any, column: str) -> Any:
    """A lookup in the index. Not ``MIN``: Django has no plain aggregate for a scalar subquery."""
    return rows.filter(**{f"{column}__isnull": False}).order_by(column).values(column)[:1]
