"""Bring the declarations into the rows, when a process becomes the leader.

Each row is written in a transaction of its own, behind the lease. Otherwise a process with the old
code that froze here, and was succeeded by one with the new code, would wake up and put the old
declaration in place of the new one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from django.db import transaction

from ...db.errors import is_outage
from ...definitions import declarations, declared
from ...definitions.changes import changed_by
from ...definitions.declarations import Declaration
from ...models import Job
from ...models.change import Action
from ...models.job import JobState
from ..leadership.lease import LeaseHolder, LeaseLost

logger = logging.getLogger("scheduler.declarations")


@dataclass
class SyncReport:
    """What a sync did: ids, and by app label or id what could not be done."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    postponed: list[str] = field(default_factory=list)
    """Ids that failed by the database, as by a row that somebody holds locked: that passes."""


def sync(using: str, lease: LeaseHolder | None = None) -> SyncReport:
    """Import every ``jobs.py`` and bring what is declared there into the rows.

    Args:
        lease: the leader's, which is kept meanwhile. None where nobody else can lead, as in a test.

    Raises:
        LeaseLost: the rest is the next leader's.
    """
    declarations.autodiscover()
    report = SyncReport(errors=dict(declarations.errors))
    registered = declarations.registered()
    with changed_by("code"):
        known = _known(using)
        for job_id in registered:
            _settle(job_id, using, report, lease, known.get(job_id))
        for job_id in _known(using):  # raises where the connection itself broke
            if job_id not in registered:
                _settle(job_id, using, report, lease)
    return report


def sync_postponed(using: str, report: SyncReport, lease: LeaseHolder | None = None) -> None:
    """Sync again the jobs that the database refused before, until it refuses one.

    Each may wait for a lock, so one that is still refused ends the attempt; next time another one
    is the first.

    Raises:
        LeaseLost: the rest is the next leader's.
    """
    with changed_by("code"):
        for job_id in list(report.postponed):
            report.postponed.remove(job_id)
            report.errors.pop(job_id, None)
            _settle(job_id, using, report, lease)
            if job_id in report.postponed:
                return


def _known(using: str) -> dict[str, str]:
    """Return the digests of the declared jobs by id, without the retired ones."""
    rows = Job.objects.using(using).filter(declared=True).exclude(state=JobState.RETIRED)
    return dict(rows.values_list("id", "declaration_digest"))


def _settle(
    job_id: str, using: str, report: SyncReport, lease: LeaseHolder | None, known: str | None = None
) -> None:
    declaration = declarations.registered().get(job_id)
    try:
        # Nearly all are as the code says: they are not locked, since each might be waited for.
        if declaration is not None and known == declared.digest(declaration):
            return
        if lease is not None and not lease.renew():  # the one before may have been waited for
            raise LeaseLost
        with transaction.atomic(using=using):
            if lease is not None:
                lease.hold()
            if declaration is not None:
                _write(declaration, using, report)
            else:
                _retire(job_id, using, report)
    except LeaseLost:
        raise
    except Exception as error:  # one job that cannot be stored stops no other
        report.errors[job_id] = str(error)
        if is_outage(error):
            report.postponed.append(job_id)
            logger.warning("The declared job %r is tried again later: %s", job_id, error)
        else:
            logger.exception("The declared job %r is left as it is", job_id)


def _write(declaration: Declaration, using: str, report: SyncReport) -> None:
    action = declared.write(declaration, using)
    if action is Action.ADDED:
        report.added.append(declaration.id)
    elif action is Action.CHANGED:
        report.changed.append(declaration.id)


def _retire(job_id: str, using: str, report: SyncReport) -> None:
    if declared.retire(job_id, using):
        report.retired.append(job_id)
