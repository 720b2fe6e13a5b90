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

from ...db.connection import skips_locked
from ...models import Execution, Node
from ...models.execution import Status
from ...models.node import Role
from ..leadership.lease import LeaseHolder
from ..leadership.node import Observer, is_gone
from ..ledger.retries import may_retry, next_attempt

logger = logging.getLogger("scheduler.reconcile")

MAX_RUNS_PER_TURN = 500
FORGET_NODES_AFTER = timedelta(days=1)


class Reconciler:
    """Judges the other nodes, for the leader. Call inside the fenced transaction."""

    def __init__(self, lease: LeaseHolder) -> None:
        self.lease = lease
        self.using = lease.using
        self._observer = Observer()
        self._in_doubt: list[UUID] = []

    def mark_orphans_lost(self, now: datetime) -> list[Execution]:
        """Mark the runs of nodes that are proven or judged dead, and queue the retries they owe."""
        lost: list[Execution] = []
        self._in_doubt = []
        for node_id in self._foreign().order_by().values_list("node_id", flat=True).distinct():
            if why := self._death(node_id):
                lost += self._lose(node_id, why, now)
            elif not self._observer.has_heard(node_id) and node_id is not None:
                self._in_doubt.append(node_id)
        return lost

    def in_doubt(self) -> Counter[UUID]:
        """Return the runs, by job uid, on nodes of which no heartbeat was seen in this term.

        ``mark_orphans_lost`` found no proof of their death either.
        """
        if not self._in_doubt:
            return Counter()
        rows = self._foreign().filter(node_id__in=self._in_doubt)
        return Counter(dict(rows.order_by().values_list("job_uid").annotate(Count("id"))))

    def refuse_unknown_executors(self, known: Collection[str], now: datetime) -> list[Execution]:
        """End queued rows that no executor here would ever take: an alias left the settings."""
        every = Execution._base_manager.using(self.using)
        queued = every.filter(status=Status.QUEUED, due_at__lte=now)
        rows = list(self._free(queued.exclude(executor__in=known))[:MAX_RUNS_PER_TURN])
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
        """Forget how long the other nodes were silent: in an outage nobody could write."""
        self._observer.forget()

    def _foreign(self) -> QuerySet[Execution]:
        rows = Execution._base_manager.using(self.using).filter(status=Status.RUNNING)
        return rows.exclude(node_id=self.lease.node.id)

    def _death(self, node_id: UUID | None) -> str:
        """Return why the node is dead; empty if it may live."""
        if node_id is None:
            return "its scheduler is unknown"
        node = Node._base_manager.using(self.using).filter(id=node_id).first()
        if node is None:
            return "its scheduler is unknown"
        its = "its worker" if node.is_worker else "its scheduler"
        if node.role == Role.STOPPED:
            return f"{its} {node} stopped"
        if is_gone(node):
            return f"{its} {node} is gone"
        if self._observer.silent_for(node_id, node.beat) > node.ttl:
            return f"{its} {node} sent no heartbeat for {node.ttl:g} s"
        return ""

    def _lose(self, node_id: UUID | None, why: str, now: datetime) -> list[Execution]:
        rows = list(self._free(self._foreign().filter(node_id=node_id))[:MAX_RUNS_PER_TURN])
        self._end(rows, Status.LOST, why, now)
        retries = [next_attempt(row, now) for row in rows if may_retry(row.status, row)]
        Execution._base_manager.using(self.using).bulk_create(retries, ignore_conflicts=True)
        for row in rows:
            logger.error("Execution %s of %r is lost: %s", row.id, row.job_id, why)
        return rows

    def _free(self, rows: QuerySet[Execution]) -> QuerySet[Execution]:
        """Lock the rows that no user's transaction holds.

        The others are judged later: they must not keep the leader from leading.
        """
        return rows.select_for_update(skip_locked=skips_locked(self.using))

    def _end(self, rows: list[Execution], status: Status, why: str, now: datetime) -> None:
        """End these locked rows, in the database and in memory, as signal receivers see them."""
        executions = Execution._base_manager.using(self.using)
        executions.filter(id__in=[row.id for row in rows]).update(
            status=status, finished_at=now, reason=why
        )
        for row in rows:
            row.status, row.finished_at, row.reason = status, now, why
