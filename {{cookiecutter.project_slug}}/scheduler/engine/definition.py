"""Turn a job's row into something that can run, or say why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from .. import functions, serialization, triggers
from ..conf import conf
from ..errors import DefinitionError
from .due import Planned


def load(job: Planned, executors: Collection[str]) -> BaseTrigger:
    """The job's trigger, after its function, arguments and executor were found to be good.

    Everything is cached by the text that was read with the due row, so a changed row is decoded
    anew and a stale definition cannot run.

    Raises:
        DefinitionError: which part, and why.
    """
    _decode(job.id, "function", functions.resolve, job.func)
    _decode(job.id, "arguments", _args, job.args, conf().ALLOW_PICKLE)
    _decode(job.id, "keyword arguments", _kwargs, job.kwargs, conf().ALLOW_PICKLE)
    trigger: BaseTrigger = _decode(job.id, "trigger", triggers.loads, job.trigger)
    if job.executor not in executors:
        known = LookupError(f"no {job.executor!r} here; known: {', '.join(sorted(executors))}")
        raise DefinitionError(job.id, "executor", known)
    return trigger


def _decode(job_id: str, part: str, decode: Callable[..., Any], *given: Any) -> Any:
    try:
        return decode(*given)
    except Exception as error:  # whatever importing a module of the project may raise
        raise DefinitionError(job_id, part, error) from error


@lru_cache(maxsize=4096)
def _args(text: str, pickles: bool) -> None:
    """Whether they can be read; each run reads its own."""
    serialization.loads_args(text)


@lru_cache(maxsize=4096)
def _kwargs(text: str, pickles: bool) -> None:
    serialization.loads_kwargs(text)
