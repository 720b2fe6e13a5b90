"""A job's row and APScheduler's ``Job``, each made from the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy, deepcopy
from datetime import datetime
from functools import lru_cache
from inspect import isfunction
from typing import Any, cast
from uuid import UUID

from apscheduler.job import Job as APSchedulerJob
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import check_callable_args, get_callable_name, obj_to_ref, ref_to_obj
from django.db.models import CharField

from .. import serialization, triggers
from ..models import Job
from . import references
from .loading import decode
from .options import POLICY_NAMES, check_limits, check_policies, check_printable, pop_policies
from .task_functions import as_function, is_task

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
CALL = ("func", "args", "kwargs")
LOADED = ("func", "trigger", "args", "kwargs", "executor")
"""The columns of which one that cannot be loaded puts the job into quarantine."""


OWN = ("_policies", "_read", "_row")
"""What two copies of a job must not share."""


class StoredJob(APSchedulerJob):
    """A ``Job`` that knows what was read, so that only what changed is written.

    It also takes this app's own policies (``timeout``, ``max_retries`` ...) in ``modify()``.
    """

    __slots__ = ("_explicit", "_policies", "_read", "_row", "_uid", "_using")

    _explicit: bool | None  # whether somebody gave next_run_time; None: not known
    _policies: dict[str, Any]
    _read: dict[str, Any] | None  # what the job was made from
    _row: dict[str, Any]  # the row's columns at that moment
    _uid: UUID | None
    _using: str | None

    def __init__(self, scheduler: Any, id: str | None = None, **options: Any) -> None:
        self._policies, self._read, self._row, self._uid = {}, None, {}, None
        self._using = None
        self._explicit = "next_run_time" in options
        super().__init__(scheduler, id=id, **options)

    def modify(self, **changes: Any) -> Any:
        """Modify the job, as APScheduler does; so do the four below what their names say.

        Raises:
            JobLookupError: there is no such row any more, or another one under the same id.
        """
        self._refuse_another()
        return super().modify(**changes)

    def reschedule(self, trigger: Any, **trigger_args: Any) -> Any:
        self._refuse_another()
        return super().reschedule(trigger, **trigger_args)

    def pause(self) -> Any:
        self._refuse_another()
        return super().pause()

    def resume(self) -> Any:
        self._refuse_another()
        return super().resume()

    def remove(self) -> None:
        self._refuse_another()
        super().remove()

    def _refuse_another(self) -> None:
        """Refuse to touch what took this job's id after this one was removed."""
        rows = Job.objects.using(self._using).filter(pk=self.id)
        if self._uid is not None and rows.exclude(uid=self._uid).exists():
            raise JobLookupError(self.id)

    def __copy__(self) -> StoredJob:
        """Return a job that knows what was read as well: writing it undoes nobody's change."""
        made = StoredJob.__new__(StoredJob)
        for name in (*APSchedulerJob.__slots__, *StoredJob.__slots__):
            if hasattr(self, name) and not name.startswith("__"):
                setattr(
                    made, name, copy(getattr(self, name)) if name in OWN else getattr(self, name)
                )
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredJob:
        made = copy(self)
        made.args, made.kwargs = deepcopy(self.args, memo), deepcopy(self.kwargs, memo)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process needs no more than APScheduler's Job, and may not have Django set up.
        return object.__new__, (APSchedulerJob,), self.__getstate__()

    def _modify(self, **changes: Any) -> None:
        if not changes:
            return
        own = check_policies(pop_policies(changes))
        check_limits(changes)
        if "func" in changes:
            changes["func"] = _callable_for_apscheduler(changes["func"])
        if isinstance(changes.get("trigger"), BaseTrigger):
            changes["trigger"] = triggers.normalize(changes["trigger"])
        call = self._take_call(changes)
        try:
            super()._modify(**changes)
        except LookupError:
            if isinstance(changes["func"], str):
                references.resolve(changes["func"])  # raises, and says why
            raise
        except AttributeError as error:  # APScheduler asks any callable for its module
            if error.name != "__module__":
                raise
            raise references.nameless(changes["func"]) from None
        for name, value in call.items():
            setattr(self, name, value)
        self._policies = {**self._policies, **own}

    def _take_call(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Take a whole call of a function out of ``changes``, once it is checked.

        APScheduler would check it as well, and read the function's signature anew for each of many
        jobs that call it.

        Raises:
            ValueError: the function cannot be called like that.
        """
        func, args, kwargs = (changes.get(name) for name in CALL)
        if not (isfunction(func) and type(args) is tuple and type(kwargs) is dict):
            return {}
        name, reference = _call_of(func, len(args), tuple(kwargs))
        for each in CALL:
            del changes[each]
        if not hasattr(self, "name") and changes.get("name") is None:
            changes["name"] = name
        return {"func": func, "func_ref": reference, "args": args, "kwargs": kwargs}


@lru_cache(maxsize=128)
def _call_of(func: Any, number: int, names: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the name of a function, and APScheduler's reference to it.

    Raises:
        ValueError: it takes no such number of arguments, or none of these names.
    """
    check_callable_args(func, (None,) * number, dict.fromkeys(names))
    try:
        return get_callable_name(func), obj_to_ref(func)
    except ValueError:
        return get_callable_name(func), None


def _callable_for_apscheduler(func: Any) -> Any:
    """Return what APScheduler takes: it knows no tasks, which cannot be called.

    Raises:
        FunctionError: a text that is no reference; APScheduler only says "Invalid reference".
    """
    if not isinstance(func, str):
        return as_function(func)
    references.ref(func)
    with suppress(Exception):  # whatever importing raises, APScheduler raises in its own words
        if is_task(found := ref_to_obj(func)):
            return as_function(found)
    return func


def to_job(row: Job, scheduler: Any = None, alias: str | None = None) -> StoredJob:
    """Return APScheduler's view of a row; its next run time is in the trigger's zone.

    Raises:
        DefinitionError: the function, the trigger or an argument cannot be loaded.
    """
    job = StoredJob.__new__(StoredJob)
    job.id = row.id
    job.func_ref = row.func
    job.func, job.trigger = decode(row, "func"), decode(row, "trigger")
    job.args, job.kwargs = decode(row, "args"), decode(row, "kwargs")
    job.name = row.name or row.id
    job.executor = row.executor
    job.coalesce = row.coalesce
    job.max_instances = row.max_instances
    job.misfire_grace_time = row.misfire_grace_time
    job.next_run_time = _next_run_time(row, job.trigger)
    job._scheduler = scheduler
    job._jobstore_alias = alias
    take(job, row, {name: getattr(row, name) for name in COLUMNS})
    job._read = {**(job._read or {}), "name": job.name, "next_run_time": job.next_run_time}
    return job


def take(job: StoredJob, row: Job, read: dict[str, Any]) -> None:
    """Note that the job was read from this row, or written into it.

    Args:
        read: what it is made of, as ``columns`` writes it: what differs from that was changed.
    """
    job._policies, job._explicit = {}, None
    job._uid, job._using = row.uid, row._state.db
    job._row = {name: getattr(row, name) for name in (*COLUMNS, *POLICY_NAMES, "state")}
    job._read = read


def whole(job: APSchedulerJob, known: dict[Any, str] | None = None) -> dict[str, Any]:
    """Return all columns of a job for a new row, also of one that was read from another row.

    Args:
        known: as for ``columns``.

    Raises:
        FunctionError, TriggerError, SerializationError, TypeError, ValueError: as ``changed``.
    """
    if getattr(job, "_read", None) is None:
        return changed(job, known)
    as_new = copy(job)
    as_new._read = None
    kept = {name: job._row[name] for name in POLICY_NAMES if name in job._row}
    return kept | changed(as_new, known)


def mended(row: Job, changes: dict[str, Any], scheduler: Any, alias: str | None) -> StoredJob:
    """Return the job that ``changes`` make of a row of which they replace a broken part.

    Raises:
        DefinitionError: another part cannot be loaded.
    """
    text: dict[str, Callable[[Any], str]] = {
        "func": references.ref,
        "trigger": triggers.dumps,
        "args": serialization.dumps_args,
        "kwargs": serialization.dumps_kwargs,
    }
    draft = copy(row)
    replaced = changes.keys() & text.keys()
    for name in replaced:
        setattr(draft, name, text[name](changes[name]))
    job = to_job(draft, scheduler, alias)
    job._row = {name: getattr(row, name) for name in job._row}
    job._read = {name: job._row[name] for name in COLUMNS if name not in replaced}
    job._read |= {"name": job.name, "next_run_time": job.next_run_time}
    job._modify(**changes)
    return job


def columns(job: APSchedulerJob, known: dict[Any, str] | None = None) -> dict[str, Any]:
    """Return the values of ``COLUMNS`` for ``job``.

    Args:
        known: the references of functions that were found meanwhile, to be added to.

    Raises:
        FunctionError: no reference leads to its function, or may not be named by a job.
        TriggerError: its trigger is of a kind that cannot be kept.
        SerializationError: an argument that cannot be kept; the message names it.
    """
    job.func_ref = _reference(job, {} if known is None else known)
    state = job.__getstate__()
    return {
        "name": job.name,
        "func": job.func_ref,
        "args": serialization.dumps_args(state["args"]),
        "kwargs": serialization.dumps_kwargs(state["kwargs"]),
        "trigger": triggers.dumps(job.trigger),
        "executor": job.executor,
        "coalesce": job.coalesce,
        "max_instances": job.max_instances,
        "misfire_grace_time": job.misfire_grace_time,
        "next_run_time": triggers.checked_moment(job.next_run_time, "next_run_time"),
    }


def changed(job: APSchedulerJob, known: dict[Any, str] | None = None) -> dict[str, Any]:
    """Return the columns of ``job`` that differ from what was read; all of them for a new job.

    Args:
        known: as for ``columns``.

    Raises:
        FunctionError, TriggerError, SerializationError: as ``columns``.
        TypeError, ValueError: a number or a text beyond its bounds. What is stored already and
            does not change is left alone.
    """
    read = getattr(job, "_read", None) or {}
    now = columns(job, known)
    differing = {name: now[name] for name in now if not (read and _same(name, read, now[name]))}
    if "func" in differing:
        references.check_runnable(job.func)
    check_limits(differing)
    _check_texts(differing)
    return differing | getattr(job, "_policies", {})


def _reference(job: APSchedulerJob, known: dict[Any, str]) -> str:
    """Return the reference to the job's function: of many jobs with one function, found once."""
    if not isfunction(job.func):  # a method is another object at each access
        return references.reference_to(job.func, job.func_ref)
    key = job.func, job.func_ref
    if key not in known:
        known[key] = references.reference_to(*key)
    return known[key]


def _next_run_time(row: Job, trigger: BaseTrigger) -> datetime | None:
    due = row.next_due
    return due and due.astimezone(triggers.zone_of(trigger))


def _same(name: str, read: Mapping[str, Any], value: Any) -> bool:
    if name not in read:
        return False
    return read[name] == value or (name in _CANONICAL and _CANONICAL[name](read[name]) == value)


# A text written by hand, in another order or with other spaces, does not count as changed.
_CANONICAL: dict[str, Callable[[str], str]] = {
    "trigger": lambda text: triggers.dumps(triggers.loads(text)),
    "args": lambda text: serialization.dumps_args(serialization.loads_args(text)),
    "kwargs": lambda text: serialization.dumps_kwargs(serialization.loads_kwargs(text)),
}


def _check_texts(columns: Mapping[str, Any]) -> None:
    for name in ("name", "func", "executor"):
        if name in columns:
            limit = cast("CharField", Job._meta.get_field(name)).max_length or 0
            if len(columns[name]) > limit:
                text = f"{columns[name]:.80}"
                raise ValueError(f"The {name} of a job may have {limit} characters: {text!r}...")
            check_printable(name, columns[name])
