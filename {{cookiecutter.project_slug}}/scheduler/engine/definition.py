"""Turn a job's row into something that can run, or say why it cannot."""

from __future__ import annotations

from collections.abc import Collection

from apscheduler.triggers.base import BaseTrigger

from .. import functions, serialization, triggers
from ..models import Job


class DefinitionError(ValueError):
    """A row that cannot run as it stands: the job is quarantined, with this text."""


def load(job: Job, executors: Collection[str]) -> BaseTrigger:
    """The job's trigger, after its function, arguments and executor were found to be good.

    Everything is cached by the text that was read with the due row, so a changed row is decoded
    anew and a stale definition cannot run.

    Raises:
        DefinitionError: with the column, the value and the remedy.
    """
    try:
        trigger = triggers.loads(job.trigger)
        functions.resolve(job.func)
        serialization.loads_args(job.args)
        serialization.loads_kwargs(job.kwargs)
    except Exception as error:  # whatever importing a module of the project may raise
        raise DefinitionError(f"{type(error).__name__}: {error}") from error
    if job.executor not in executors:
        raise DefinitionError(
            f"executor: no {job.executor!r} here; known: {', '.join(sorted(executors))}"
        )
    return trigger
