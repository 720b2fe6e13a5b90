"""The worker's part of a run's life: claim what a message names. The rest is in ``outcomes``."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, QuerySet

from ...db.clock import DbNow
from ...models import Execution, Lease
from ...models.execution import Status
from ..executors.runner import COLUMNS, Run


def claim(using: str, node_id: UUID, id: int, publication: int) -> Run | None:
    """Claim one publication for this node. None: there is nothing to do.

    Of two workers that got the same message, one finds the row claimed here; so does one whose
    message comes after the row was cancelled, taken back or published anew. While the cluster is
    paused nobody claims: the row is taken back, and published again when it is resumed.

    A row that is still published after the claim was refused is taken back, paused or not: an
    operator may resume the cluster between the two statements. This message is spent, and the row
    would wait a minute for another one.

    Raises:
        OperationalError, InterfaceError: the database; perhaps it was claimed all the same.
    """
    published = _published(using, id, publication)
    paused = Lease._base_manager.using(using).filter(pk=1, paused_at__isnull=False)
    claimed = published.filter(~Exists(paused)).update(
        status=Status.RUNNING, node_id=node_id, started_at=DbNow()
    )
    if not claimed:
        published.update(published_at=None, term=None)
        return None
    row = Execution._base_manager.using(using).filter(id=id, node_id=node_id)
    values = row.values_list(*COLUMNS).first()
    return Run(**dict(zip(COLUMNS, values, strict=True))) if values else None


def _published(using: str, id: int, publication: int) -> QuerySet[Execution]:
    rows = Execution._base_manager.using(using)
    return rows.filter(
        id=id, publication=publication, status=Status.QUEUED, published_at__isnull=False
    )
