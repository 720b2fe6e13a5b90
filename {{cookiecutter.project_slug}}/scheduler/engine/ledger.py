"""The life of an execution after its claim: start, finish, give back.

``start`` runs in the leader's transaction, behind ``Lease.hold``. ``finish`` needs no lease: it
writes only rows that this node is running, so a frozen process that comes back after its runs
were declared lost overwrites nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections, transaction
from django.db.models import QuerySet

from ..models import Execution
from ..models.execution import Kind, Status
from ..models.policies import POLICY_FIELDS, OnLost
from .batch import update_each
from .lease import Lease
from .runner import Result

logger = logging.getLogger("scheduler.ledger")

OUTCOME = ("status", "started_at", "finished_at", "exception", "traceback", "log", "return_value",
           "reason")  # fmt: skip


class Ledger:
    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.using = lease.using
        self.node_id = lease.node.id

    def start(
        self, now: datetime, free: Mapping[str, int], running: Counter[UUID]
    ) -> list[Execution]:
        """Mark as many queued rows as running as there are free slots.

        Args:
            free: free slots of each executor.
            running: runs of each job (by uid) on this and other living nodes. Only a leader starts
                runs, so the part of it that is stale can only be too high.
        """
        picked: list[Execution] = []
        left, running = Counter(free), Counter(running)
        while rows := self._candidates(now, left, running, picked):
            before = len(picked)
            for row in rows:
                if left[row.executor] > 0 and running[row.job_uid] < row.max_instances:
                    left[row.executor] -= 1
                    running[row.job_uid] += 1
                    picked.append(row)
            if len(picked) == before or not +left:
                break
        if picked:
            Execution._base_manager.using(self.using).filter(
                id__in=[row.id for row in picked]
            ).update(
                status=Status.RUNNING, node_id=self.node_id, term=self.lease.term, started_at=now
            )
            for row in picked:
                row.status, row.started_at = Status.RUNNING, now
                row.node_id, row.term = self.node_id, self.lease.term
        return picked

    def finish(self, results: Sequence[Result], runs: Mapping[int, Execution]) -> set[int]:
        """Write outcomes and owed retries.

        Returns:
            The ids that were written. The others were declared lost meanwhile: a late finish
            changes nothing.
        """
        retries = [retry for result in results if (retry := _retry_of(result, runs[result.id]))]
        with transaction.atomic(using=self.using):
            matched = self._write(results)
            written = (
                {result.id for result in results}
                if matched == len(results)
                else self._written(results)
            )
            due = [retry for retry, of in retries if of in written]
            if due:
                # A reply that was lost is answered by doing it again: the key lets one retry in.
                Execution._base_manager.using(self.using).bulk_create(due, ignore_conflicts=True)
        for result in results:
            if result.id not in written:
                logger.warning("Execution %s ended, but had been given up: ignored", result.id)
        return written

    def give_back(self, ids: Iterable[int]) -> int:
        """Rows of ours whose body was never started: back to the queue, for whoever leads."""
        return self._mine(ids).update(
            status=Status.QUEUED, node_id=None, term=None, started_at=None
        )

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

    def _candidates(
        self, now: datetime, left: Counter[str], running: Counter[UUID], picked: list[Execution]
    ) -> list[Execution]:
        free = [alias for alias, count in left.items() if count > 0]
        if not free:
            return []
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.QUEUED, due_at__lte=now, executor__in=free
        )
        if running:
            rows = rows.exclude(job_uid__in=list(running), max_instances=1)
        if picked:
            rows = rows.exclude(id__in=[row.id for row in picked])
        rows = rows.order_by("due_at", "id").select_for_update(skip_locked=self._skips())
        return list(rows[: sum(left[alias] for alias in free)])

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

    def _mine(self, ids: Iterable[int]) -> QuerySet[Execution]:
        return Execution._base_manager.using(self.using).filter(
            id__in=list(ids), node_id=self.node_id, status=Status.RUNNING
        )

    def _node_param(self) -> object:
        field = Execution._meta.get_field("node_id")
        return field.get_db_prep_save(self.node_id, connections[self.using])

    def _skips(self) -> bool:
        return bool(connections[self.using].features.has_select_for_update_skip_locked)


def _retry_of(result: Result, row: Execution) -> tuple[Execution, int] | None:
    """The next attempt that a failed run has left, and the id of the failed one."""
    again = result.status in (Status.FAILED, Status.TIMED_OUT) or (
        result.status is Status.LOST and row.on_lost == OnLost.RETRY
    )
    if not again or row.attempt > row.max_retries:
        return None
    assert result.finished_at is not None
    return next_attempt(row, result.finished_at), row.id


def next_attempt(row: Execution, ended: datetime) -> Execution:
    """A queued row for the same slot, due after the job's ``retry_delay``."""
    return Execution(
        job_id=row.job_id,
        job_uid=row.job_uid,
        job_name=row.job_name,
        scheduled_run_time=row.scheduled_run_time,
        attempt=row.attempt + 1,
        kind=Kind.RETRY,
        due_at=ended + timedelta(seconds=row.retry_delay),
        queued_at=ended,
        requested_by=row.requested_by,
        **{name: getattr(row, name) for name in POLICY_FIELDS},
    )
