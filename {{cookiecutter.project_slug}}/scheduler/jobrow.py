"""A job's row and APScheduler's ``Job``, each made from the other."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, tzinfo
from typing import Any, cast
from uuid import UUID

from apscheduler.job import Job as APSchedulerJob
from apscheduler.triggers.base import BaseTrigger
from django.db.models import CharField

from . import functions, policies, serialization, triggers
from .errors import DefinitionError
from .given import default_zone
from .models import Job
from .models.job import JobState

COLUMNS = (
    "name",
    "func",
    "args",
    "kwargs",
    "trigger",
    "executor",
    "coalesce",
    "max_instances",
    "misfire_grace_time",
    "next_run_time",
)
LOADED = ("func", "trigger", "args", "kwargs", "executor")
"""The columns of which one that cannot be loaded puts the job into quarantine."""


class RowJob(APSchedulerJob):
    """A ``Job`` that knows what was read, so that only what changed is written.

    It also takes this app's own policies (``timeout``, ``max_retries`` ...) in ``modify()``.
    """

    __slots__ = ("_explicit", "_policies", "_read", "_uid")

    _explicit: bool | None  # whether somebody gave next_run_time; None: not known
    _policies: dict[str, Any]
    _read: dict[str, Any] | None
    _uid: UUID | None

    def __init__(self, scheduler: Any, id: str | None = None, **options: Any) -> None:
        self._policies, self._read, self._uid = {}, None, None
        self._explicit = "next_run_time" in options
        super().__init__(scheduler, id=id, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process needs no more than APScheduler's Job, and may not have Django set up.
        return object.__new__, (APSchedulerJob,), self.__getstate__()

    def _modify(self, **changes: Any) -> None:
        own = policies.checked(policies.taken_from(changes))
        if isinstance(changes.get("func"), str):
            functions.ref(changes["func"])  # APScheduler only says "Invalid reference"
        if isinstance(changes.get("trigger"), BaseTrigger):
            changes["trigger"] = triggers.normalize(changes["trigger"])
        super()._modify(**changes)
        self._policies = {**self._policies, **own}


def to_job(row: Job, scheduler: Any = None, alias: str | None = None) -> RowJob:
    """APScheduler's view of a row; its next run time is in the trigger's zone.

    Raises:
        DefinitionError: the function, the trigger or an argument cannot be loaded.
    """
    job = RowJob.__new__(RowJob)
    job.id = row.id
    job.func_ref = row.func
    job.func = _load(row, "function", functions.resolve, row.func)
    job.trigger = _load(row, "trigger", triggers.loads, row.trigger)
    job.args = _load(row, "arguments", serialization.loads_args, row.args)
    job.kwargs = _load(row, "keyword arguments", serialization.loads_kwargs, row.kwargs)
    job.name = row.name or row.id
    job.executor = row.executor
    job.coalesce = row.coalesce
    job.max_instances = row.max_instances
    job.misfire_grace_time = row.misfire_grace_time
    job.next_run_time = _next_run_time(row, job.trigger)
    job._scheduler = scheduler
    job._jobstore_alias = alias
    job._policies, job._uid, job._explicit = {}, row.uid, None
    job._read = {name: getattr(row, name) for name in COLUMNS}
    job._read |= {"name": job.name, "next_run_time": job.next_run_time}
    return job


def mended(row: Job, changes: dict[str, Any], scheduler: Any, alias: str | None) -> RowJob:
    """The job that ``changes`` make of a row of which they replace a part that cannot be loaded.

    Raises:
        DefinitionError: another part cannot be loaded.
    """
    text: dict[str, Callable[[Any], str]] = {
        "func": functions.ref,
        "trigger": triggers.dumps,
        "args": serialization.dumps_args,
        "kwargs": serialization.dumps_kwargs,
    }
    draft = copy(row)
    replaced = changes.keys() & text.keys()
    for name in replaced:
        setattr(draft, name, text[name](changes[name]))
    job = to_job(draft, scheduler, alias)
    job._read = {name: getattr(row, name) for name in COLUMNS if name not in replaced}
    job._read |= {"name": job.name, "next_run_time": job.next_run_time}
    job._modify(**changes)
    return job


def columns(job: APSchedulerJob) -> dict[str, Any]:
    """The values of ``COLUMNS`` for ``job``.

    Raises:
        FunctionError: its function has no reference, or may not be named by a job.
        TriggerError: its trigger is of a kind that cannot be kept.
        SerializationError: an argument that cannot be kept; the message names it.
        ValueError: a text that is too long for its column.
    """
    if not job.func_ref:
        functions.ref(job.func)  # raises, and says why
    state = job.__getstate__()
    functions.resolve(state["func"])
    values = {
        "name": job.name,
        "func": state["func"],
        "args": serialization.dumps_args(state["args"]),
        "kwargs": serialization.dumps_kwargs(state["kwargs"]),
        "trigger": triggers.dumps(triggers.normalize(job.trigger)),
        "executor": job.executor,
        "coalesce": job.coalesce,
        "max_instances": job.max_instances,
        "misfire_grace_time": job.misfire_grace_time,
        "next_run_time": job.next_run_time.astimezone(UTC) if job.next_run_time else None,
    }
    _check_lengths({"id": job.id, **values})
    return values


def changed(job: APSchedulerJob) -> dict[str, Any]:
    """The columns of ``job`` that differ from what was read; all of them for a new job."""
    read = getattr(job, "_read", None) or {}
    now = columns(job)
    differing = {name: now[name] for name in now if not _same(name, read, now[name])}
    return differing | getattr(job, "_policies", {})


def zone_of(trigger: BaseTrigger) -> tzinfo:
    """The zone in which a trigger counts its days."""
    parts = getattr(trigger, "triggers", None)
    if parts:
        return zone_of(parts[0])
    run_date = getattr(trigger, "run_date", None)
    zone = getattr(trigger, "timezone", None) or (run_date and run_date.tzinfo)
    return zone or default_zone()


def _load(row: Job, part: str, load: Callable[[str], Any], text: str) -> Any:
    try:
        return load(text)
    except Exception as error:  # whatever importing a user's module raises
        raise DefinitionError(row.id, part, error) from error


def _next_run_time(row: Job, trigger: BaseTrigger) -> datetime | None:
    if row.state != JobState.ACTIVE or row.next_run_time is None:
        return None
    return row.next_run_time.astimezone(zone_of(trigger))


def _same(name: str, read: dict[str, Any], value: Any) -> bool:
    if name not in read:
        return False
    return read[name] == value or (name in _CANONICAL and _CANONICAL[name](read[name]) == value)


# A text written by hand, in another order or with other spaces, does not count as changed.
_CANONICAL: dict[str, Callable[[str], str]] = {
    "trigger": lambda text: triggers.dumps(triggers.loads(text)),
    "args": lambda text: serialization.dumps_args(serialization.loads_args(text)),
    "kwargs": lambda text: serialization.dumps_kwargs(serialization.loads_kwargs(text)),
}


def _check_lengths(values: dict[str, Any]) -> None:
    for name in ("id", "name", "func", "executor"):
        limit = cast(CharField, Job._meta.get_field(name)).max_length or 0
        if len(values[name]) > limit:
            raise ValueError(f"The {name} of a job may have {limit} characters: {values[name]!r}")
        if "\0" in values[name]:
            raise ValueError(f"The {name} of a job may not contain a NUL: {values[name]!r}")
    if not values["id"]:
        raise ValueError("The id of a job may not be empty")
