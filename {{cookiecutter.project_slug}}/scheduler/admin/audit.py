"""What was done, for Django's admin log and the job's own history: before and after, no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.http import HttpRequest

from .. import triggers
from ..conf import conf
from ..masking import masked_columns, sensitive_names
from ..models import Change, Job

WORDS = {"func": "function", "kwargs": "keyword arguments", "args": "arguments"}
LONGEST = 300


def log(request: HttpRequest, row: Model, message: str, flag: int = CHANGE) -> LogEntry:
    """One entry in Django's admin log."""
    return LogEntry.objects.create(
        user_id=request.user.pk or 0,
        content_type_id=ContentType.objects.get_for_model(type(row)).pk,
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=message,
    )


def definition(job: Job, names: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The columns that people change, by name; ``names`` are sensitive beside the job's own."""
    from .digest import DEFINITION

    columns = {name: getattr(job, name) for name in (*DEFINITION, "state") if name != "uid"}
    return masked_columns(columns, names | sensitive_names(job))


def changed(before: Job, after: Job) -> str:
    """What differs. An argument that was marked or is marked now is shown on neither side."""
    names = sensitive_names(before) | sensitive_names(after)
    return difference(definition(before, names), definition(after, names))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """``max retries: 0 → 3; trigger: Every hour → Every day``."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return "; ".join(
        f"{label(name)}: {value(name, before.get(name))} → {value(name, after.get(name))}"
        for name in names
    )


def label(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def value(name: str, raw: Any) -> str:
    """A column's value as a person reads it."""
    if raw is None or raw == "":
        return "nothing"
    text = str(raw)
    if name == "trigger":
        with suppress(triggers.TriggerError):
            text = triggers.describe(triggers.loads(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def told(change: Change, names: frozenset[str]) -> str:
    """A change record in words; ``names`` are sensitive."""
    before = masked_columns(_columns(change.before), names)
    after = masked_columns(_columns(change.after), names)
    hidden = {"planned_trigger", "declaration_digest", "next_run_time", "last_error"}
    for columns in (before, after):
        for name in hidden:
            columns.pop(name, None)
    if not before or not after:
        return ""
    return difference(before, after)


def ever_sensitive(job: Job) -> frozenset[str]:
    """The names that are marked, and those that once were: most records hold no mark."""
    names = sensitive_names(job)
    sides = Q(before__contains='"sensitive"') | Q(after__contains='"sensitive"')
    records = Change.objects.using(conf().DATABASE).filter(sides, job_uid=job.uid)
    for texts in records.order_by().values_list("before", "after"):
        for columns in map(_columns, texts):
            names |= sensitive_names(
                Job(
                    func=columns.get("func", job.func),
                    kwargs=columns.get("kwargs", "{}"),
                    sensitive=columns.get("sensitive", ""),
                )
            )
    return names


def _columns(text: str) -> dict[str, Any]:
    try:
        columns = json.loads(text)
    except ValueError:
        return {}
    return columns if isinstance(columns, dict) else {}
