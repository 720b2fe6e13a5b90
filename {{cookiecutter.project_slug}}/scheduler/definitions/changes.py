"""Write a job's row, and record who changed what. Every write runs inside ``atomic()``.

The audit recomputes from these records which runs were due.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models.signals import post_save, pre_save

from ..db.clock import DbNow, db_now
from ..db.inserts import insert_many, insert_recorded, whole
from ..db.notify import announce
from ..errors import IdsTakenError, JobExistsError, UnknownJobError
from ..models import Change, Execution, Job
from ..models.change import Action
from ..models.execution import Status
from ..models.job import JobState
from ..models.runspec import RUN_SPEC_FIELDS
from . import states
from .due import Planned
from .options import UNPRINTABLE
from .states import Event

RECORDED = (
    "name",
    "trigger",
    "next_run_time",
    "state",
    "coalesce",
    "misfire_grace_time",
    *RUN_SPEC_FIELDS,
)


MAX_SIGNATURE = 150
"""Characters that a column for a user's name holds, such as ``Change.by``."""
MAX_COMPARED_IDS = 1000
"""How many ids are compared with one that no job has."""

AT_ONCE = 500
"""Ids in one statement: SQLite takes some thousands at most."""
NOTHING: Mapping[str, Any] = {}

_author: ContextVar[str] = ContextVar("scheduler_author", default="")


@contextmanager
def changed_by(name: str) -> Iterator[None]:
    """Sign every change made inside the block, in this thread or task, with ``name``."""
    token = _author.set(signature(name))
    try:
        yield
    finally:
        _author.reset(token)


def signature(name: object) -> str:
    """Return a name as its column holds it: a user's name may be a number, or too long.

    It stands on one line of a list, and holds nothing that a database refuses.
    """
    text = str(name)[:MAX_SIGNATURE]
    if text.isprintable():
        return text
    unprintable = (unicodedata.category(each) in UNPRINTABLE for each in text)
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if bad else each
        for bad, each in zip(unprintable, text, strict=True)
    )


def author() -> str:
    """Return who signs at the moment; empty if nobody said."""
    return _author.get()


def locked(job_id: str, using: str) -> Job:
    """Return the job's row, locked until the transaction ends.

    Raises:
        UnknownJobError: no such job; the message names near ids.
    """
    row = locked_if_any(job_id, using)
    if row is None:
        raise unknown_job(job_id, using)
    return row


def locked_if_any(job_id: str, using: str) -> Job | None:
    """Return the job's row, locked until the transaction ends; None if there is none."""
    return Job.objects.using(using).select_for_update().filter(pk=job_id).first()


def unknown_job(job_id: str, using: str) -> UnknownJobError:
    """Return the error for an id that no job has, with the ids that may have been meant."""
    known = Job.objects.using(using).values_list("pk", flat=True)[:MAX_COMPARED_IDS]
    return UnknownJobError(job_id, difflib.get_close_matches(str(job_id)[:255], known, n=3))


def insert(row: Job, using: str) -> Job:
    """Add a new row; the surrounding transaction stays usable when the id is taken.

    Raises:
        JobExistsError: there is a job with that id.
    """
    row.planned_trigger = row.trigger
    added = _change(Action.ADDED, row, after=recorded(row))
    with whole(using):
        pre_save.send(Job, instance=row, raw=False, using=using, update_fields=None)
        if is_new := insert_recorded(using, row, added):
            row._state.adding, row._state.db = False, using
            post_save.send(
                Job, instance=row, created=True, raw=False, using=using, update_fields=None
            )
    if not is_new:
        raise JobExistsError(row.id)
    return row


def insert_all(rows: Sequence[Mapping[str, Any]], using: str) -> None:
    """Add new rows, all or none; a surrounding transaction stays usable.

    Args:
        rows: the columns of each, the same ones for all, with its ``id``.

    Raises:
        IdsTakenError: ids that are taken, or that two of the rows have.
    """
    times = Counter(row["id"] for row in rows)
    if twice := [job_id for job_id, count in times.items() if count > 1]:
        raise IdsTakenError(twice)
    uids = [uuid4() for _ in rows]
    jobs = (
        {**row, "uid": uid, "planned_trigger": row["trigger"]}
        for row, uid in zip(rows, uids, strict=True)
    )
    added = (
        {"job_id": row["id"], "job_uid": uid, "after": _dumps({n: row[n] for n in RECORDED})}
        for row, uid in zip(rows, uids, strict=True)
    )
    try:
        with transaction.atomic(using):
            at = db_now(using)
            insert_many(using, Job, jobs, created_at=at, updated_at=at)
            insert_many(using, Change, added, action=Action.ADDED, at=at, by=author())
            announce(using)
    except IntegrityError:
        raise IdsTakenError(_taken(list(times), using)) from None


def _taken(job_ids: list[str], using: str) -> list[str]:
    taken: list[str] = []
    for first in range(0, len(job_ids), AT_ONCE):
        rows = Job._base_manager.using(using).filter(pk__in=job_ids[first : first + AT_ONCE])
        taken += rows.order_by("pk").values_list("pk", flat=True)
    return taken


def _change(
    action: str, row: Job, before: Mapping[str, Any] = NOTHING, after: Mapping[str, Any] = NOTHING
) -> Change:
    """Return the record of a row that came or went, to be written as of now."""
    return Change(
        action=action,
        job_id=row.id,
        job_uid=row.uid,
        at=DbNow(),
        by=author(),
        before=_dumps(before),
        after=_dumps(after),
    )


def change(row: Job, using: str, action: str | None = None, **columns: Any) -> Job:
    """Write the given columns of a locked row, those that differ, and nothing else."""
    differing = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if not differing:
        return row
    beside = {"next_run_time"} if "trigger" in differing else set()
    before = {name: getattr(row, name) for name in differing.keys() | beside}
    for name, value in differing.items():
        setattr(row, name, value)
    row.save(using=using, update_fields=[*differing, "updated_at"])
    if any(name in RECORDED for name in differing):
        after = {name: getattr(row, name) for name in before}
        record(action or _action(before, row), row.id, row.uid, before, after, using)
    return row


def pause_all(rows: Sequence[Job], using: str) -> None:
    """Pause locked active rows, as ``change`` does one. No ``post_save`` signal is sent."""
    columns = states.after(JobState.ACTIVE, Event.PAUSED)
    at = db_now(using)
    paused = []
    for row in rows:
        before = {name: getattr(row, name) for name in columns}
        same = {name for name in columns if before[name] == columns[name]}
        paused.append(
            {
                "job_id": row.id,
                "job_uid": row.uid,
                "before": _dumps(_without(before, same)),
                "after": _dumps(_without(columns, same)),
            }
        )
    insert_many(using, Change, paused, action=Action.PAUSED, at=at, by=author())
    pks = [row.pk for row in rows]
    Job.objects.using(using).filter(pk__in=pks).update(**columns, updated_at=at)


def delete(row: Job, using: str) -> None:
    """Delete a locked row; what was queued of it and not yet started will not start."""
    _delete_some([row], using)


def delete_all(using: str) -> None:
    """Delete every row, as ``delete`` does, some hundreds at a time."""
    rows = Job.objects.using(using).select_for_update().order_by("pk")
    while some := list(rows[:AT_ONCE]):
        _delete_some(some, using)


def recorded(row: Job) -> dict[str, Any]:
    """Return the definition as changes record it."""
    return {name: getattr(row, name) for name in RECORDED}


def quarantine(job: Planned, reason: str, using: str) -> None:
    """Set an active job aside, with the reason.

    It keeps ``next_run_time``: the runs due meanwhile are due on release. A row that is no longer
    active, or another job's under the same id, stays as it is.
    """
    rows = Job._base_manager.using(using).filter(pk=job.id, uid=job.uid, state=JobState.ACTIVE)
    after = states.after(JobState.ACTIVE, Event.QUARANTINED, error=reason)
    if rows.update(**after):
        record(Action.QUARANTINED, job.id, job.uid, {"state": job.state}, after, using)


def record(
    action: str,
    job_id: str,
    uid: UUID,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    using: str,
) -> None:
    """Write one change in the current transaction. Columns that are equal are left out.

    Not the next run time beside another trigger: the audit needs to know from when on that counts,
    and cannot compute it for a job that was overdue.
    """
    same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    if before.get("trigger") != after.get("trigger"):
        same.discard("next_run_time")
    Change(
        action=action,
        job_id=job_id,
        job_uid=uid,
        at=DbNow(),
        by=author(),
        before=_dumps(_without(before, same)),
        after=_dumps(_without(after, same)),
    ).save(using=using, force_insert=True)


def _delete_some(rows: list[Job], using: str) -> None:
    """Delete locked rows."""
    Execution.objects.using(using).filter(
        job_uid__in=[row.uid for row in rows], status=Status.QUEUED
    ).update(status=Status.CANCELLED, reason="its job was removed", finished_at=DbNow())
    removed = (
        {"job_id": row.id, "job_uid": row.uid, "before": _dumps(recorded(row))} for row in rows
    )
    insert_many(using, Change, removed, action=Action.REMOVED, at=db_now(using), by=author())
    Job.objects.using(using).filter(pk__in=[row.pk for row in rows]).delete()


def _action(before: dict[str, Any], row: Job) -> str:
    was = before.get("state", row.state)
    if was == row.state:
        return Action.CHANGED
    if row.state == JobState.ACTIVE:
        return Action.RELEASED if was == JobState.QUARANTINED else Action.RESUMED
    return {
        JobState.PAUSED: Action.PAUSED,
        JobState.RETIRED: Action.RETIRED,
        JobState.QUARANTINED: Action.QUARANTINED,
    }.get(JobState(row.state), Action.CHANGED)


def _without(columns: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if name not in names}


def _dumps(columns: Mapping[str, Any]) -> str:
    return _JSON.encode(columns)


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


_JSON = json.JSONEncoder(default=_plain, sort_keys=True, ensure_ascii=False)
