"""Runs of dead nodes: what was running is lost, and follows the job's ``on_lost``.

A row in the queue belongs to nobody, so nothing needs to be done for it: the leader starts it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet

from ..models import Execution, Node
from ..models.execution import Status
from ..models.node import Role
from .connection import skips_locked
from .lease import Lease
from .node import Observer, is_gone
from .retries import may_retry, next_attempt

logger = logging.getLogger("scheduler.reconcile")

BATCH = 500
FORGET_NODES_AFTER = timedelta(days=1)


class Reconciler:
    """The leader's view of the other nodes. Call inside the fenced transaction."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using
        self._observer = Observer()

    def lose_runs_of_the_dead(self, now: datetime) -> list[Execution]:
        """Mark the runs of nodes that are proven or judged dead, and queue the retries they owe."""
        lost: list[Execution] = []
        for node_id in self._foreign().order_by().values_list("node_id", flat=True).distinct():
            if why := self._death(node_id):
                lost += self._lose(node_id, why, now)
        return lost

    def running_elsewhere(self) -> Counter[UUID]:
        """Runs on other living nodes, by job uid: a leader that handed over and drains."""
        rows = self._foreign().order_by().values_list("job_uid").annotate(Count("id"))
        return Counter(dict(rows))

    def refuse_unknown_executors(self, known: Collection[str], now: datetime) -> list[Execution]:
        """End queued rows that no executor here would ever take: an alias left the settings."""
        every = Execution._base_manager.using(self.using)
        queued = every.filter(status=Status.QUEUED, due_at__lte=now)
        rows = list(self._free(queued.exclude(executor__in=known))[:BATCH])
        why = f"its executor is unknown here; known: {', '.join(sorted(known))}"
        self._end(rows, Status.FAILED, why, now)
        return rows

    def forget_old_nodes(self, now: datetime) -> int:
        """Delete the rows of processes that ended long ago.

        A database clock that was set forward makes everybody look old: their silence decides.
        """
        nodes = Node._base_manager.using(self.using)
        old = nodes.filter(beat_at__lt=now - FORGET_NODES_AFTER)
        ended = [
            node.id
            for node in old
            if self._observer.silent_for(("old", node.id), node.beat) > node.ttl
        ]
        return nodes.filter(id__in=ended).delete()[0]

    def forget(self) -> None:
        """After an outage: nobody could write, so silence is no evidence."""
        self._observer.forget()

    def _foreign(self) -> QuerySet[Execution]:
        rows = Execution._base_manager.using(self.using).filter(status=Status.RUNNING)
        return rows.exclude(node_id=self.lease.node.id)

    def _death(self, node_id: UUID | None) -> str:
        """Why the node is dead, or nothing."""
        if node_id is None:
            return "its scheduler is unknown"
        node = Node._base_manager.using(self.using).filter(id=node_id).first()
        if node is None:
            return "its scheduler is unknown"
        if node.role == Role.STOPPED:
            return f"its scheduler {node} stopped"
        if is_gone(node):
            return f"its scheduler {node} is gone"
        if self._observer.silent_for(node_id, node.beat) > node.ttl:
            return f"its scheduler {node} gave no sign of life for {node.ttl:g} s"
        return ""

    def _lose(self, node_id: UUID | None, why: str, now: datetime) -> list[Execution]:
        rows = list(self._free(self._foreign().filter(node_id=node_id))[:BATCH])
        self._end(rows, Status.LOST, why, now)
        retries = [
            next_attempt(row, now)
            for row in rows
            if may_retry(row.status, row) and row.cancel_requested_at is None
        ]
        Execution._base_manager.using(self.using).bulk_create(retries, ignore_conflicts=True)
        for row in rows:
            logger.error("Execution %s of %r is lost: %s", row.id, row.job_id, why)
        return rows

    def _free(self, rows: QuerySet[Execution]) -> QuerySet[Execution]:
        """Lock them, but what a user's transaction holds is judged later: it must not keep the
        leader from leading."""
        return rows.select_for_update(skip_locked=skips_locked(self.using))

    def _end(self, rows: list[Execution], status: Status, why: str, now: datetime) -> None:
        """Rows that are locked: in the database, and as whoever is told of them sees them."""
        executions = Execution._base_manager.using(self.using)
        executions.filter(id__in=[row.id for row in rows]).update(
            status=status, finished_at=now, reason=why
        )
        for row in rows:
            row.status, row.finished_at, row.reason = status, now, why
