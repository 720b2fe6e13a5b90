"""Turn a job's row into something that can run, or say why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from .. import functions, serialization, triggers
from ..errors import DefinitionError
from ..models import Job

PARTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "function": ("func", functions.resolve),
    "arguments": ("args", serialization.loads_args),
    "keyword arguments": ("kwargs", serialization.loads_kwargs),
    "trigger": ("trigger", triggers.loads),
}


def load(job: Job, executors: Collection[str]) -> BaseTrigger:
    """The job's trigger, after its function, arguments and executor were found to be good.

    Everything is cached by the text that was read with the due row, so a changed row is decoded
    anew and a stale definition cannot run.

    Raises:
        DefinitionError: which part, and why.
    """
    decoded = {part: _decode(job, part) for part in PARTS}
    if job.executor not in executors:
        known = LookupError(f"no {job.executor!r} here; known: {', '.join(sorted(executors))}")
        raise DefinitionError(job.id, "executor", known)
    trigger: BaseTrigger = decoded["trigger"]
    return trigger


def _decode(job: Job, part: str) -> Any:
    column, decode = PARTS[part]
    try:
        return decode(getattr(job, column))
    except Exception as error:  # whatever importing a module of the project may raise
        raise DefinitionError(job.id, part, error) from error
