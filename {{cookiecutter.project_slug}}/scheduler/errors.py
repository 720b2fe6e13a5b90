"""What the scheduler app raises beside APScheduler's own errors."""

from __future__ import annotations

from typing import Any


class DefinitionError(LookupError):
    """The definition in a job's row cannot be loaded; ``str()`` says which part, and why."""

    def __init__(self, job_id: str, part: str, cause: BaseException) -> None:
        super().__init__(f"The {part} of job {job_id!r} cannot be loaded: {cause}")
        self.job_id = job_id
        self.part = part


class ExecutionLookupError(KeyError):
    """There is no such execution."""

    def __str__(self) -> str:
        return str(self.args[0])


class ExecutionStateError(ValueError):
    """The execution is in a state that does not allow what was asked."""


class InAtomicBlockError(RuntimeError):
    """Waiting for a run inside ``transaction.atomic()`` would wait for itself."""


class RunNowTimeoutError(TimeoutError):
    """The run that was asked for has not ended in time. It goes on; ``execution`` is its row."""

    def __init__(self, message: str, execution: Any) -> None:
        super().__init__(message)
        self.execution = execution


class NotHereError(RuntimeError):
    """A client was asked for what only a scheduler's process can do."""

    def __init__(self, remedy: str) -> None:
        super().__init__(f"This is a client of the scheduler: {remedy}")
