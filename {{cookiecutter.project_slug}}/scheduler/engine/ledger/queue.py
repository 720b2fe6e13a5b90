"""The leader's part of a run's life: take it from the head of the queue, and start or publish it.

Runs in the leader's transaction, behind ``LeaseHolder.hold``: nobody else starts a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery

from ...db.bulk import update_all_later
from ...db.connection import skips_locked
from ...db.prepared import Param, PreparedQuery
from ...db.trips import send
from ...models import Execution
from ...models.execution import WAITING, Status
from ..executors.runner import COLUMNS, Run
from ..leadership.lease import LeaseHolder
from .capacity import Capacity
from .publications import Publications

MAX_READ = 256
"""Rows that are read at once: workers have room for many, and other runs may be at the head."""
READ_STEP = 32
"""Rows are read by so many, or by a power of two: few limits, and few texts to compile."""


class Queue:
    """The queued executions, as the leader starts them."""

    def __init__(self, lease: LeaseHolder) -> None:
        self.lease = lease
        self.publications = Publications(lease)
        self.using = lease.using
        self._queries: dict[int, PreparedQuery] = {}

    def start(self, now: datetime, capacity: Capacity, executors: Collection[str]) -> list[Run]:
        """Mark as many queued rows as running, or as published, as there is room for.

        Of what is due for an executor, a higher priority goes first; within one, the longest due.

        Args:
            executors: those for which runs may be queued.
        """
        taken: list[Run] = []
        looked_at = [alias for alias in capacity.executors if alias in executors]
        while looked_at:
            sizes = {alias: min(capacity.places(alias), MAX_READ) for alias in looked_at}
            looked_at = []
            for alias, rows in self._heads(now, capacity, sizes).items():
                blocked = len(capacity.blocked)
                picked = [run for run in rows if capacity.admit(run)]
                taken += picked
                self._mark(picked, alias in capacity.remote, now)
                has_more = len(rows) >= sizes[alias] and capacity.places(alias) > 0
                if has_more and (picked or len(capacity.blocked) > blocked):
                    looked_at.append(alias)
        return taken

    def _heads(
        self, now: datetime, capacity: Capacity, sizes: Mapping[str, int]
    ) -> dict[str, list[Run]]:
        """Return the head of the queue of each executor, without the jobs that were refused.

        One statement for each, in one message: one for all of them would read past whatever else
        waits before what it looks for.
        """
        limits = {alias: _limit(size) for alias, size in sizes.items()}
        found: dict[str, list[tuple[Any, ...]]] = {}
        for alias, limit in limits.items():
            self._longest_due(alias, limit, now, capacity.blocked, found)
        send(self.using)
        heads = {}
        for alias, rows in found.items():
            heads[alias] = head = [_run(row) for row in rows]
            if len(rows) == limits[alias] and any(run.priority < rows[0][-1] for run in head):
                # More is due than was read, and some of it may go first.
                head = self._by_priority(alias, now, capacity.blocked, limits[alias])
            heads[alias] = sorted(head, key=lambda run: -run.priority)
        return heads

    def _longest_due(
        self,
        executor: str,
        limit: int,
        now: datetime,
        blocked: Collection[UUID],
        found: dict[str, list[tuple[Any, ...]]],
    ) -> None:
        """Read rows of ``COLUMNS``, whatever their priority, with the queue's highest one."""
        if blocked:
            queued = self._queued(executor, now).exclude(job_uid__in=blocked)
            found[executor] = list(_with_highest(queued, executor)[:limit])
            return
        if limit not in self._queries:
            of = Param("executor", Execution._meta.get_field("executor"))
            at = Param("now", Execution._meta.get_field("due_at"))
            self._queries[limit] = PreparedQuery(
                self.using, lambda: _with_highest(self._queued(of, at), of)[:limit]
            )

        def hear(rows: list[tuple[Any, ...]]) -> None:
            found[executor] = rows

        self._queries[limit].later(hear, executor=executor, now=now)

    def _by_priority(
        self, executor: str, now: datetime, blocked: Collection[UUID], limit: int
    ) -> list[Run]:
        """Return the head of the queue by one query for each priority, the highest first.

        Not by one query in the order of the priorities: that would read past all runs which wait
        for their time, in each priority, where little else is due.
        """
        queued = self._queued(executor, now).exclude(job_uid__in=blocked)
        head: list[Run] = []
        priority = _priorities(self.using, executor).first()
        while priority is not None and len(head) < limit:
            rows = queued.filter(priority=priority).values_list(*COLUMNS)
            head += map(_run, rows[: limit - len(head)])
            priority = _priorities(self.using, executor).filter(priority__lt=priority).first()
        return head

    def _queued(self, executor: Any, now: Any) -> QuerySet[Execution]:
        rows = Execution._base_manager.using(self.using).filter(
            WAITING, executor=executor, due_at__lte=now
        )
        return rows.order_by("due_at", "id").select_for_update(skip_locked=skips_locked(self.using))

    def _mark(self, runs: list[Run], is_remote: bool, now: datetime) -> None:
        if is_remote:
            self.publications.mark(runs, now)
        else:
            self._mark_running(runs, now)

    def _mark_running(self, runs: list[Run], now: datetime) -> None:
        if not runs:
            return
        term = self.lease.term
        now_running = {
            "status": Status.RUNNING,
            "node_id": self.lease.node.id,
            "term": term,
            "started_at": now,
        }
        update_all_later(self.using, Execution, [run.id for run in runs], now_running)
        for run in runs:
            run.term, run.started_at, run.node_id = term, now, self.lease.node.id


def _limit(size: int) -> int:
    """Return how many rows are read where ``size`` are wanted."""
    return 1 << (size - 1).bit_length() if size < READ_STEP else -(-size // READ_STEP) * READ_STEP


def _run(row: tuple[Any, ...]) -> Run:
    return Run(**dict(zip(COLUMNS, row, strict=False)))


def _with_highest(queued: QuerySet[Execution], executor: Any) -> QuerySet[Execution, Any]:
    highest = Subquery(_priorities(queued.db, executor)[:1])
    return queued.annotate(highest=highest).values_list(*COLUMNS, "highest")


def _priorities(using: str, executor: Any) -> QuerySet[Execution, Any]:
    """Return the priorities in the queue, the highest first: the index tells it without a scan."""
    queued = Execution._base_manager.using(using).filter(WAITING, executor=executor)
    return queued.order_by("-priority").values_list("priority", flat=True)
