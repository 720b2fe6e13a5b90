"""Declarations into rows, when a scheduler becomes the leader.

A row keeps the digest of the declaration that it came from. While the code says the same, the row
is not touched, so that what somebody changed in the admin survives every deploy.

Each row is brought in by a transaction of its own, behind the lease. Else a process with the old
code that froze here, and was succeeded by one with the new code, would wake and put its own in
place of the new.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from django.apps import apps
from django.db import transaction

from . import declarations, definitions, jobrow, registration
from .changes import changed_by
from .declarations import Declaration
from .engine.clock import db_now
from .engine.lease import Lease, LeaseLost
from .engine.outage import is_outage
from .models import Job
from .models.job import JobState

logger = logging.getLogger("scheduler.declarations")


@dataclass
class Report:
    """What a sync did: ids, and by app label or id what could not be done."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    postponed: list[str] = field(default_factory=list)
    """Ids that failed by the database, as by a row that somebody holds locked: that passes."""


def sync(using: str, lease: Lease | None = None) -> Report:
    """Import every ``jobs.py`` and bring what is declared there into the rows.

    Args:
        lease: the leader's, which is kept meanwhile. None where nobody else can lead, as in a test.

    Raises:
        LeaseLost: the rest is the next leader's.
    """
    declarations.autodiscover()
    report = Report(errors=dict(declarations.errors))
    declared = declarations.registered()
    with changed_by("code"):
        known = _known(using)
        for job_id in declared:
            _settle(job_id, using, report, lease, known.get(job_id))
        for job_id in _known(using):  # raises where the connection itself broke
            if job_id not in declared:
                _settle(job_id, using, report, lease)
    return report


def sync_postponed(using: str, report: Report, lease: Lease | None = None) -> None:
    """Try again what the database did not let in. One that it still refuses ends the attempt, since
    each may wait for a lock; next time another one is the first.

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


def reset(job_id: str, using: str) -> None:
    """Write everything that the declaration says over the row, a pause included.

    Raises:
        JobLookupError: no such row, or no such declaration.
    """
    declarations.autodiscover()
    declaration = declarations.registered().get(job_id)
    if declaration is None:
        raise JobLookupError(job_id)
    with transaction.atomic(using=using):
        row = definitions.locked(job_id, using)
        job = _job(declaration, db_now(using))
        job._explicit = row.state == JobState.PAUSED
        _write(row, job, declaration, using)


def digest(declaration: Declaration) -> str:
    """One text per declaration: the same on every host and at every start."""
    job = _job(declaration, declaration.at)
    columns = jobrow.changed(job)
    columns["trigger"] = registration.without_implied_start(job.trigger, declaration.at)
    del columns["next_run_time"]
    return hashlib.sha256(json.dumps(columns, sort_keys=True).encode()).hexdigest()


def _known(using: str) -> dict[str, str]:
    """The declared jobs' ids and digests, without those that were retired."""
    rows = Job.objects.using(using).filter(declared=True).exclude(state=JobState.RETIRED)
    return dict(rows.values_list("id", "declaration_digest"))


def _settle(
    job_id: str, using: str, report: Report, lease: Lease | None, known: str | None = None
) -> None:
    declaration = declarations.registered().get(job_id)
    try:
        # Nearly all are as the code says: they are not locked, since each might be waited for.
        if declaration is not None and known == digest(declaration):
            return
        if lease is not None and not lease.renew():  # the one before may have been waited for
            raise LeaseLost
        with transaction.atomic(using=using):
            if lease is not None:
                lease.hold()
            if declaration is not None:
                _bring_in(declaration, using, report)
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


def _bring_in(declaration: Declaration, using: str, report: Report) -> None:
    try:
        row = definitions.locked(declaration.id, using)
    except JobLookupError:
        if _insert(declaration, using):
            report.added.append(declaration.id)
        return
    known = row.declared and row.declaration_digest == digest(declaration)
    if not known or row.state == JobState.RETIRED:
        _write(row, _job(declaration, db_now(using)), declaration, using)
        report.changed.append(declaration.id)


def _insert(declaration: Declaration, using: str) -> bool:
    job = _job(declaration, db_now(using))
    state = JobState.ACTIVE if job.next_run_time else JobState.FINISHED
    row = Job(id=declaration.id, state=state, declared=True, **jobrow.changed(job))
    row.declaration_digest = digest(declaration)
    try:
        definitions.insert(row, using)
    except ConflictingIdError:  # somebody added it since we looked: at the next start
        return False
    return True


def _write(row: Job, job: jobrow.RowJob, declaration: Declaration, using: str) -> None:
    # A start date that nobody gave comes from this host's clock, when the module was imported.
    columns = registration.again(row, job, declaration.at)
    if job.next_run_time is None and columns.get("state") == JobState.PAUSED != row.state:
        columns["state"] = JobState.FINISHED
    columns |= {"declared": True, "declaration_digest": digest(declaration)}
    definitions.change(row, using, **columns)


def _retire(job_id: str, using: str, report: Report) -> None:
    """Of a job that vanished from the code."""
    try:
        row = definitions.locked(job_id, using)
    except JobLookupError:  # somebody removed it since we looked
        return
    if not _may_only_have_failed_to_import(row):
        definitions.change(row, using, state=JobState.RETIRED, next_run_time=None)
        report.retired.append(job_id)


def _may_only_have_failed_to_import(row: Job) -> bool:
    app = apps.get_containing_app_config(row.func.partition(":")[0])
    labels = {row.id.partition(".")[0], app.label if app else ""}
    return not labels.isdisjoint(declarations.errors)


def _job(declaration: Declaration, now: datetime) -> jobrow.RowJob:
    job = jobrow.RowJob(
        None,
        id=declaration.id,
        func=declaration.func,
        trigger=declaration.trigger,
        **declaration.options,
    )
    at = declaration.trigger.get_next_fire_time(None, now.astimezone(UTC))
    job.next_run_time, job._explicit = at, False
    return job
