"""Turn a job's row into something that can run, or say why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from .. import codeversion, serialization, triggers
from ..conf import conf
from ..errors import DefinitionError
from ..models import Job
from . import references
from .due import Planned

RESTART_SCHEDULER = (
    "It can be loaded here: restart the scheduler, which began with other code or settings."
)


def load(job: Planned, executors: Collection[str]) -> BaseTrigger:
    """Return the job's trigger, after its function, arguments and executor were found to be good.

    Everything is cached by the text that was read with the due row, so a changed row is decoded
    anew and a stale definition cannot run.

    Args:
        executors: aliases of the executors of this process.

    Raises:
        DefinitionError: which part, and why.
    """
    decode(job, "func")
    for name in ("args", "kwargs"):
        if not _is_readable(name, getattr(job, name), conf().ALLOW_PICKLE):
            decode(job, name)  # raises, and says why
    trigger: BaseTrigger = decode(job, "trigger")
    if job.executor not in executors:
        known = LookupError(f"no {job.executor!r} here; known: {', '.join(sorted(executors))}")
        raise DefinitionError(job.id, "executor", known)
    return trigger


def decode(job: Planned, column: str) -> Any:
    """Return what the text in a column of the job's row stands for.

    Args:
        column: ``func``, ``args``, ``kwargs`` or ``trigger``.

    Raises:
        DefinitionError: it cannot be decoded; the message says why.
    """
    part, load = PARTS[column]
    try:
        return load(getattr(job, column))
    except Exception as error:  # whatever importing a module of the project may raise
        cause: Exception = error
        if column == "func" and codeversion.is_outdated():
            why = str(error).replace(references.TO_ALLOW, "")
            cause = LookupError(f"{why}. {codeversion.RESTART}")
        raise DefinitionError(job.id, part, cause) from error


def why_set_aside(job: Job) -> str:
    """Return ``last_error``, and that a restart helps where only the scheduler lacks the function.

    A web process that was reloaded knows the new app or function. The scheduler beside it was not,
    and what it wrote asks for a setting that needs no change.
    """
    error = job.last_error
    if not error.startswith(str(DefinitionError(job.id, PARTS["func"][0], LookupError()))):
        return error
    try:
        references.resolve(job.func)
    except Exception:  # whatever importing a module of the project may raise
        return error
    why = error.replace(references.TO_ALLOW, "").removesuffix(f". {codeversion.RESTART}")
    return f"{why}. {RESTART_SCHEDULER}"


@lru_cache(maxsize=4096)
def _is_readable(column: str, text: str, pickles: bool) -> bool:
    """Return whether arguments can be decoded; each run decodes its own, since they may change."""
    try:
        PARTS[column][1](text)
    except Exception:  # decode() tells which
        return False
    return True


PARTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "func": ("function", references.resolve),
    "args": ("arguments", serialization.loads_args),
    "kwargs": ("keyword arguments", serialization.loads_kwargs),
    "trigger": ("trigger", triggers.loads),
}
"""What each column holds, and how it is decoded."""
