"""The life of an execution after its claim: start, finish, give back.

``start`` runs in the leader's transaction, behind ``Lease.hold``. ``finish`` needs no lease: it
writes only rows that this node is running, so a frozen process that comes back after its runs
were declared lost overwrites nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet

from ..models import Execution
from ..models.execution import Status
from .batch import update_all, update_each
from .connection import skips_locked
from .lease import Lease
from .retries import may_retry, next_attempt
from .room import Room
from .runner import COLUMNS, OUTCOME, Result, Run
from .statement import Blank, Statement

logger = logging.getLogger("scheduler.ledger")


class Ledger:
    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using
        self.node_id = lease.node.id
        self.retry_pause = timedelta()
        """Beyond the job's own delay: for bodies that this process gives up but cannot end."""
        self._statements: dict[tuple[tuple[str, ...], int], Statement] = {}

    def start(self, now: datetime, room: Room) -> list[Run]:
        """Mark as many queued rows as running as there is room for, the longest due first."""
        started: list[Run] = []
        while size := room.size:
            blocked = len(room.blocked)
            rows = self._queue(now, room, size)
            picked = [run for run in rows if room.take(run)]
            self._mark_running(picked, now)
            started += picked
            if len(rows) < size or not (picked or len(room.blocked) > blocked):
                break
        return started

    def finish(self, results: Sequence[Result], runs: Mapping[int, Run]) -> set[int]:
        """Write outcomes and owed retries.

        Returns:
            The ids that were written. The others were declared lost meanwhile: a late finish
            changes nothing.
        """
        owing = [result.id for result in results if may_retry(result.status, runs[result.id])]
        with transaction.atomic(using=self.using):
            # A reply that was lost is answered by doing it again, and a manual run has no slot by
            # which the key could refuse a second retry: only whose row still runs owes one.
            owing = (
                list(self._mine(owing).select_for_update().values_list("id", flat=True))
                if owing
                else []
            )
            matched = self._write(results)
            written = (
                {result.id for result in results}
                if matched == len(results)
                else self._written(results)
            )
            self._retry([id for id in owing if id in written])
        for result in results:
            if result.id not in written:
                logger.warning("Execution %s ended, but had been given up: ignored", result.id)
        return written

    def give_back(self, ids: Iterable[int]) -> int:
        """Rows of ours whose body was never started: back to the queue, for whoever leads.

        One that a user's transaction holds is passed over: it is found again with each beat, as
        is a row whose commit was never heard of.
        """
        with transaction.atomic(using=self.using):
            free = self._locked(self._mine(ids))
            return self._mine(free).update(
                status=Status.QUEUED, node_id=None, term=None, started_at=None
            )

    def held_by_others(self, ids: Sequence[int]) -> set[int]:
        """Lock these rows for the rest of the transaction, without waiting for any.

        Returns:
            Those that could not be locked. A row that is gone is held by nobody.
        """
        rows = Execution._base_manager.using(self.using).filter(id__in=ids)
        free = self._locked(rows)
        return set(rows.values_list("id", flat=True)) - free

    def running_here(self) -> set[int]:
        """Rows that say that this process runs them."""
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.RUNNING, node_id=self.node_id
        )
        return set(rows.values_list("id", flat=True))

    def cancel_requested(self) -> list[int]:
        """Running rows of ours that somebody asked to stop."""
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.RUNNING, node_id=self.node_id, cancel_requested_at__isnull=False
        )
        return list(rows.values_list("id", flat=True))

    def _queue(self, now: datetime, room: Room, size: int) -> list[Run]:
        """The head of the queue, without the jobs that the room has refused."""
        executors, limit = room.executors, 1 << (size - 1).bit_length()  # few texts to compile
        if room.blocked:
            rows = list(self._queued(executors, now).exclude(job_uid__in=room.blocked)[:limit])
        else:
            rows = self._statement(executors, limit).rows(now=now)
        return [Run(*row) for row in rows]

    def _statement(self, executors: tuple[str, ...], limit: int) -> Statement:
        key = executors, limit
        if key not in self._statements:
            now = Blank("now", Execution._meta.get_field("due_at"))
            self._statements[key] = Statement(
                self.using, lambda: self._queued(executors, now)[:limit]
            )
        return self._statements[key]

    def _queued(self, executors: tuple[str, ...], now: Any) -> QuerySet[Execution, Any]:
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.QUEUED, due_at__lte=now, executor__in=executors
        )
        rows = rows.order_by("due_at", "id").select_for_update(skip_locked=skips_locked(self.using))
        return rows.values_list(*COLUMNS)

    def _mark_running(self, runs: list[Run], now: datetime) -> None:
        if not runs:
            return
        term = self.lease.term
        now_running = {
            "status": Status.RUNNING,
            "node_id": self.node_id,
            "term": term,
            "started_at": now,
        }
        update_all(self.using, Execution, [run.id for run in runs], now_running)
        for run in runs:
            run.term, run.started_at = term, now

    def _retry(self, ids: list[int]) -> None:
        """Queue the next attempt of each; their rows carry the outcome already."""
        if not ids:
            return
        executions = Execution._base_manager.using(self.using)
        rows = executions.filter(id__in=ids)
        # A user may have queued the same attempt already: the key lets one retry in.
        retries = [next_attempt(row, row.finished_at) for row in rows if row.finished_at]
        for retry in retries:
            retry.due_at += self.retry_pause
        executions.bulk_create(retries, ignore_conflicts=True)

    def _write(self, results: Sequence[Result]) -> int:
        return update_each(
            self.using,
            Execution,
            OUTCOME,
            [(result.id, *(getattr(result, name) for name in OUTCOME)) for result in results],
            where="t.node_id = %s AND t.status = %s",
            params=[self._node_param(), Status.RUNNING],
        )

    def _written(self, results: Sequence[Result]) -> set[int]:
        """Which of them carry our outcome, also from an attempt whose reply was lost."""
        rows = Execution._base_manager.using(self.using).filter(
            id__in=[result.id for result in results], node_id=self.node_id
        )
        stored = dict(rows.values_list("id", "finished_at"))
        return {result.id for result in results if stored.get(result.id) == result.finished_at}

    def _locked(self, rows: QuerySet[Execution]) -> set[int]:
        """Lock what nobody else holds, where the database can pass over the rest."""
        return set(
            rows.select_for_update(skip_locked=skips_locked(self.using)).values_list(
                "id", flat=True
            )
        )

    def _mine(self, ids: Iterable[int]) -> QuerySet[Execution]:
        return Execution._base_manager.using(self.using).filter(
            id__in=list(ids), node_id=self.node_id, status=Status.RUNNING
        )

    def _node_param(self) -> object:
        field = Execution._meta.get_field("node_id")
        return field.get_db_prep_save(self.node_id, connections[self.using])
