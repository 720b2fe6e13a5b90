"""Everybody's part of a run's life: finish it, queue its retry, give it back.

Needs no lease, only the database and the id of the node that runs it: each statement writes only
rows that this node is running, so a frozen process that comes back after its runs were declared
lost overwrites nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import QuerySet

from ...db.bulk import update_each, update_each_later
from ...db.clock import DbNow
from ...db.connection import skips_locked
from ...models import Execution
from ...models.execution import Status
from ..executors.runner import OUTCOME, Result
from .retries import Attempt, may_retry, next_attempt

logger = logging.getLogger("scheduler.ledger")


class Outcomes:
    """The runs of one node, as they end."""

    def __init__(self, using: str, node_id: UUID) -> None:
        self.using = using
        self.node_id = node_id
        self.retry_pause = timedelta()
        """Beyond the job's own delay: for bodies that this process gives up but cannot end."""

    def finish(self, results: Sequence[Result], runs: Mapping[int, Attempt]) -> set[int]:
        """Write outcomes and owed retries.

        Returns:
            The ids that were written. The others were declared lost meanwhile: a late finish
            changes nothing.
        """
        owing = [result.id for result in results if may_retry(result.status, runs[result.id])]
        if not owing:
            matched = update_each(**self._outcomes(results))
            return self.written(results, matched)
        with transaction.atomic(using=self.using):
            # A reply that was lost is answered by doing it again, and a manual run has no slot by
            # which the key could refuse a second retry: only whose row still runs owes one.
            owing = list(self._mine(owing).select_for_update().values_list("id", flat=True))
            matched = update_each(**self._outcomes(results))
            written = self.written(results, matched)
            self._retry([id for id in owing if id in written])
        return written

    def finish_later(self, results: Sequence[Result], heard: Callable[[int], None]) -> None:
        """Write outcomes that owe no retry, with the next statement that is waited for.

        Args:
            heard: called with how many rows matched; see ``written``.
        """
        update_each_later(**self._outcomes(results), heard=heard)

    def written(self, results: Sequence[Result], matched: int) -> set[int]:
        """Return the ids of the outcomes that were written, given how many rows matched."""
        if matched == len(results):
            return {result.id for result in results}
        written = self._written(results)
        for result in results:
            if result.id not in written:
                logger.warning("Execution %s ended, but had been given up: ignored", result.id)
        return written

    def give_back(self, ids: Iterable[int], pause: timedelta | None = None) -> int:
        """Put rows of this node whose job function was never called back into the queue.

        One that a user's transaction holds is passed over: it is found again with each beat, as is
        a row whose commit was never heard of.

        Args:
            pause: how long they are not due; None: they are as due as they were.

        Returns:
            How many rows there were.
        """
        columns: dict[str, Any] = {"status": Status.QUEUED}
        columns |= dict.fromkeys(("node_id", "term", "started_at", "published_at"))
        if pause is not None:
            columns["due_at"] = DbNow() + pause
        with transaction.atomic(using=self.using):
            free = self._locked(self._mine(ids))
            return self._mine(free).update(**columns)

    def held_by_others(self, ids: Sequence[int]) -> set[int]:
        """Lock these rows for the rest of the transaction, without waiting for any.

        Returns:
            Those that could not be locked. A row that is gone is held by nobody.
        """
        rows = Execution._base_manager.using(self.using).filter(id__in=ids)
        free = self._locked(rows)
        return set(rows.values_list("id", flat=True)) - free

    def rows(self, ids: Iterable[int]) -> list[Execution]:
        """Return the rows with these ids, in their order."""
        rows = Execution._base_manager.using(self.using).filter(id__in=list(ids))
        return list(rows.order_by("id"))

    def running_here(self) -> set[int]:
        """Return the ids of the rows that say that this process runs them."""
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.RUNNING, node_id=self.node_id
        )
        return set(rows.values_list("id", flat=True))

    def cancel_requested(self) -> list[int]:
        """Return the ids of this node's running rows that somebody asked to stop."""
        rows = Execution._base_manager.using(self.using).filter(
            status=Status.RUNNING, node_id=self.node_id, cancel_requested_at__isnull=False
        )
        return list(rows.values_list("id", flat=True))

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

    def _outcomes(self, results: Sequence[Result]) -> dict[str, Any]:
        """Return what ``update_each`` is to write: only rows that this node is running."""
        field = Execution._meta.get_field("node_id")
        return {
            "using": self.using,
            "model": Execution,
            "columns": OUTCOME,
            "rows": [
                (result.id, *(getattr(result, name) for name in OUTCOME)) for result in results
            ],
            "where": "t.node_id = %s AND t.status = %s",
            "params": [
                field.get_db_prep_save(self.node_id, connections[self.using]),
                Status.RUNNING,
            ],
        }

    def _written(self, results: Sequence[Result]) -> set[int]:
        """Return the ids that carry our outcome, also from an attempt whose reply was lost."""
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
