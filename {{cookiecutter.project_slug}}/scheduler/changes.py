"""Who changed which definition, and how: the record that the audit recomputes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from .models.change import Change

_author: ContextVar[str] = ContextVar("scheduler_author", default="")


@contextmanager
def changed_by(name: str) -> Iterator[None]:
    """Sign every change made inside the block, in this thread or task, with ``name``."""
    token = _author.set(str(name))  # a user's name may be a number
    try:
        yield
    finally:
        _author.reset(token)


def author() -> str:
    """Who signs at the moment; empty if nobody said."""
    return _author.get()


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
    from .engine.clock import DbNow

    same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    if before.get("trigger") != after.get("trigger"):
        same.discard("next_run_time")
    Change(
        action=action,
        job_id=job_id,
        job_uid=uid,
        at=DbNow(),
        by=author()[:150],
        before=_dumps(before, same),
        after=_dumps(after, same),
    ).save(using=using, force_insert=True)


def _dumps(columns: Mapping[str, Any], left_out: set[str]) -> str:
    kept = {name: value for name, value in columns.items() if name not in left_out}
    return json.dumps(kept, default=_plain, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
