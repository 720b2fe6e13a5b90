"""What the scheduler app raises beside APScheduler's own errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError


class DefinitionError(LookupError):
    """The definition in a job's row cannot be loaded; ``str()`` says which part, and why."""

    def __init__(self, job_id: str, part: str, cause: BaseException) -> None:
        super().__init__(f"The {part} of job {job_id!r} cannot be loaded: {cause}")
        self.job_id = job_id
        self.part = part


class UnknownJobError(JobLookupError):
    """There is no such job; ``str()`` names ids that may have been meant."""

    def __init__(self, job_id: str, near: Sequence[str] = ()) -> None:
        super().__init__(job_id)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        if str(job_id).startswith("task:"):
            hint = ": a task has no job. Enqueue it to run it; the history lists its runs"
        self._message = f"There is no job {job_id!r}{hint}"

    def __str__(self) -> str:
        return self._message


NAMED_IDS = 10
"""How many ids an error's text names."""


class JobExistsError(ConflictingIdError):
    """There is a job with that id already."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self._message = (
            f"There is a job {job_id!r} already; replace it with replace_existing=True, or choose "
            "another id"
        )

    def __str__(self) -> str:
        return self._message


class IdsTakenError(ConflictingIdError):
    """Of many jobs, these have ids that others have: ``job_ids``. ``str()`` names the first few."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        super().__init__(job_ids[0])
        self.job_ids = list(job_ids)
        named = ", ".join(repr(job_id) for job_id in job_ids[:NAMED_IDS])
        more = f" and {len(job_ids) - NAMED_IDS} more" if len(job_ids) > NAMED_IDS else ""
        self._message = f"No job was added. Ids that are taken or given twice: {named}{more}"

    def __str__(self) -> str:
        return self._message


class ExecutionLookupError(KeyError):
    """There is no such execution."""

    def __str__(self) -> str:
        return str(self.args[0])


class ExecutionStateError(ValueError):
    """The execution is in a state that does not allow what was asked."""


class RunEndedError(RuntimeError):
    """A task ended without an exception of its own: timed out, lost, cancelled or refused.

    Never raised: it is the exception class in the ``errors`` of such a task's result.
    """


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
