"""Pause the whole cluster, and resume it: a flag in the lease's row, which every claim locks."""

from __future__ import annotations

import logging

from django.db import transaction

from ..db.clock import DbNow
from ..db.notify import announce
from ..definitions.changes import signature
from ..models import Lease

logger = logging.getLogger("scheduler.client")


def pause(using: str, requested_by: str = "") -> bool:
    """Let no scheduler process claim a run from now on; running ones end.

    Returns:
        Whether this call paused it; False: it was paused already.
    """
    rows = Lease._base_manager.using(using)
    with transaction.atomic(using=using):
        rows.bulk_create([Lease(pk=1)], ignore_conflicts=True)  # no scheduler has run yet
        paused = rows.filter(pk=1, paused_at=None).update(
            paused_at=DbNow(), paused_by=signature(requested_by)
        )
        announce(using)
    if paused:
        logger.warning("Paused by %r: no run starts until the scheduler is resumed", requested_by)
    return bool(paused)


def resume(using: str, requested_by: str = "") -> bool:
    """End the pause. What fell due meanwhile follows the misfire policy of its job.

    Returns:
        Whether this call resumed it; False: it was not paused.
    """
    rows = Lease._base_manager.using(using).filter(pk=1, paused_at__isnull=False)
    with transaction.atomic(using=using):
        resumed = rows.update(paused_at=None, paused_by="")
        announce(using)
    if resumed:
        logger.warning("Resumed by %r", requested_by)
    return bool(resumed)


def is_paused(using: str) -> bool:
    """Return whether the cluster is paused."""
    return Lease._base_manager.using(using).filter(pk=1, paused_at__isnull=False).exists()
