"""Write what the code declares to the rows.

A row keeps the digest of the declaration that it came from. While the code says the same, the row
is not touched, so that what somebody changed in the admin survives every deploy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from django.apps import apps
from django.db import transaction

from ..db.clock import db_now
from ..models import Job
from ..models.change import Action
from ..models.job import JobState
from . import changes, declarations, replacing, states, stored
from .declarations import Declaration
from .options import check_id, check_timeout
from .states import Event


def digest(declaration: Declaration) -> str:
    """Return one text per declaration: the same on every host and at every start."""
    job = _job(declaration, declaration.at)
    columns = stored.changed(job)
    columns["trigger"] = replacing.without_implied_start(job.trigger, declaration.at)
    del columns["next_run_time"]
    return hashlib.sha256(json.dumps(columns, sort_keys=True).encode()).hexdigest()


def write(declaration: Declaration, using: str) -> Action | None:
    """Bring one declaration into its row, inside ``atomic()``.

    Returns:
        ADDED or CHANGED; None if the row stays as it is.
    """
    row = changes.locked_if_any(declaration.id, using)
    if row is None:
        return Action.ADDED if _insert(declaration, using) else None
    known = row.declared and row.declaration_digest == digest(declaration)
    if known and row.state != JobState.RETIRED:
        return None
    _overwrite(row, _job(declaration, db_now(using)), declaration, using)
    return Action.CHANGED


def retire(job_id: str, using: str) -> bool:
    """Retire a job that vanished from the code, inside ``atomic()``.

    Returns:
        Whether it was retired. A job whose module may only have failed to import stays.
    """
    row = changes.locked_if_any(job_id, using)
    if row is None:  # somebody removed it since we looked
        return False
    if _may_only_have_failed_to_import(row):
        return False
    changes.change(row, using, **states.after(row.state, Event.RETIRED))
    return True


def as_declared(row: Job) -> Job | None:
    """Return an unsaved job with the columns that the code declares; None if it declares none."""
    declaration = declarations.registered().get(row.pk)
    if declaration is None or not row.declared:
        return None
    columns = stored.changed(_job(declaration, declaration.at))
    if replacing.same_trigger(row, declaration.trigger, declaration.at):
        columns["trigger"] = row.trigger
    return Job(id=row.pk, uid=row.uid, state=row.state, **columns)


def overridden(row: Job, code: Job) -> list[str]:
    """Return the names of the columns in which a row differs from what the code declares."""
    return [
        name
        for name in changes.RECORDED
        if name not in ("state", "next_run_time") and getattr(row, name) != getattr(code, name)
    ]


def reset_columns(job_id: str, names: Collection[str], using: str) -> None:
    """Write what the declaration says of some columns; a pause and the others stay.

    Raises:
        JobLookupError: no such row, or no such declaration.
        ValueError: a column that no declaration has, or that does not fit the others as they are.
    """
    declarations.autodiscover()
    with transaction.atomic(using=using):
        row = changes.locked(job_id, using)
        code = as_declared(row)
        if code is None:
            raise JobLookupError(job_id)
        known = set(changes.RECORDED) - {"state", "next_run_time"}
        if unknown := set(names) - known:
            raise ValueError(f"No declaration has a {', '.join(sorted(unknown)):.80}")
        columns = {name: getattr(code, name) for name in names}
        check_timeout(columns.get("timeout", row.timeout), columns.get("executor", row.executor))
        if not set(names).isdisjoint(stored.LOADED):
            columns |= states.after(row.state, Event.MENDED)
        if "trigger" in names and columns["trigger"] != row.trigger:
            trigger = declarations.registered()[job_id].trigger
            at = trigger.get_next_fire_time(None, db_now(using).astimezone(UTC))
            columns["planned_trigger"] = columns["trigger"]
            columns |= states.after(row.state, Event.REPLACED, at, declared=True)
        changes.change(row, using, **columns)


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
        row = changes.locked(job_id, using)
        job = _job(declaration, db_now(using))
        job._explicit = row.state == JobState.PAUSED
        _overwrite(row, job, declaration, using)


def _insert(declaration: Declaration, using: str) -> bool:
    job = _job(declaration, db_now(using))
    check_id(declaration.id)
    columns = stored.changed(job)
    columns |= states.after(states.NEW, Event.ADDED, columns["next_run_time"], declared=True)
    row = Job(id=declaration.id, declared=True, **columns)
    row.declaration_digest = digest(declaration)
    try:
        changes.insert(row, using)
    except ConflictingIdError:  # somebody added it since we looked: at the next start
        return False
    return True


def _overwrite(row: Job, job: stored.StoredJob, declaration: Declaration, using: str) -> None:
    # A start date that nobody gave comes from this host's clock, when the module was imported.
    columns = replacing.again(row, job, declaration.at, declared=True)
    columns |= {"declared": True, "declaration_digest": digest(declaration)}
    changes.change(row, using, **columns)


def _may_only_have_failed_to_import(row: Job) -> bool:
    app = apps.get_containing_app_config(row.func.partition(":")[0])
    labels = {row.id.partition(".")[0], app.label if app else ""}
    return not labels.isdisjoint(declarations.errors)


def _job(declaration: Declaration, now: datetime) -> stored.StoredJob:
    job = stored.StoredJob(
        None,
        id=declaration.id,
        func=declaration.func,
        trigger=declaration.trigger,
        **declaration.options,
    )
    at = declaration.trigger.get_next_fire_time(None, now.astimezone(UTC))
    job.next_run_time, job._explicit = at, False
    return job
