"""Actions in Django's admin log and in the job's history: before and after, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import triggers
from ..conf import conf
from ..formatting import english
from ..masking import masked_columns, sensitive_names
from ..models import Change, Job
from .fields.policies import POLICY_WORDS
from .version import DEFINITION

WORDS = {
    "id": gettext_lazy("id"),
    "name": gettext_lazy("name"),
    "func": gettext_lazy("function"),
    "args": gettext_lazy("arguments"),
    "kwargs": gettext_lazy("keyword arguments"),
    "trigger": gettext_lazy("trigger"),
    "state": gettext_lazy("state"),
    **POLICY_WORDS,
}
"""The columns that people change; others, which a record of a change may have, by their names."""
MAX_VALUE_LENGTH = 300


def record(request: HttpRequest, row: Model, message: str, flag: int = CHANGE) -> LogEntry:
    """Write one entry into Django's admin log and return it."""
    entry = _entry(request, row, message, flag)
    entry.save()
    return entry


def record_all(request: HttpRequest, messages: Iterable[tuple[Model, str]]) -> None:
    """Write an entry for each of many rows, with a few statements."""
    LogEntry.objects.bulk_create(_entry(request, row, text, CHANGE) for row, text in messages)


def _entry(request: HttpRequest, row: Model, message: str, flag: int) -> LogEntry:
    return LogEntry(
        user_id=request.user.pk or 0,
        content_type_id=ContentType.objects.get_for_model(type(row)).pk,
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=message,
    )


def definition(job: Job, names: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the columns that people change, by name, masked.

    Args:
        names: arguments that are sensitive besides those that the job marks.
    """
    columns = {name: getattr(job, name) for name in (*DEFINITION, "state") if name != "uid"}
    return masked_columns(columns, names | sensitive_names(job))


def changed(before: Job, after: Job) -> str:
    """Describe what differs, in English: it is stored.

    An argument is masked on both sides if either marks it as sensitive.
    """
    names = sensitive_names(before) | sensitive_names(after)
    with english():
        return difference(definition(before, names), definition(after, names))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Describe a difference as ``max retries: 0 → 3; trigger: Every hour → Every day``."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return "; ".join(
        f"{label(name)}: {value(name, before.get(name))} → {value(name, after.get(name))}"
        for name in names
    )


def label(name: str) -> str:
    """Return a column's name as pages show it."""
    return str(WORDS.get(name, name.replace("_", " ")))


def value(name: str, raw: Any) -> str:
    """Return a column's value as people read it, at most ``MAX_VALUE_LENGTH`` characters."""
    if raw is None or raw == "":
        return _("nothing")
    text = str(raw)
    if name == "trigger":
        with suppress(triggers.TriggerError):
            text = triggers.describe(triggers.loads(text))
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def describe_change(change: Change, names: frozenset[str]) -> str:
    """Describe a recorded change; the arguments ``names`` are masked."""
    before = masked_columns(_columns(change.before), names)
    after = masked_columns(_columns(change.after), names)
    hidden = {"planned_trigger", "declaration_digest", "next_run_time", "last_error"}
    for columns in (before, after):
        for name in hidden:
            columns.pop(name, None)
    if not before or not after:
        columns = before or after
        said = [name for name in ("func", "trigger", "args", "kwargs") if name in columns]
        return "; ".join(f"{label(name)}: {value(name, columns[name])}" for name in said)
    return difference(before, after)


def ever_sensitive(job: Job) -> frozenset[str]:
    """Return the argument names that are, or ever were, marked as sensitive."""
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
