"""Executions of a task as the Tasks API's ``TaskResult``: one row for each attempt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

from ..definitions.task_functions import is_task
from ..models import Execution
from ..models.execution import FINAL, TASK_PREFIX, Status
from .api import (
    Task,
    TaskContext,
    TaskError,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
)
from .arguments import load_arguments, load_result

STATUS = {
    Status.QUEUED: TaskResultStatus.READY,
    Status.RUNNING: TaskResultStatus.RUNNING,
    Status.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
}
"""Every other outcome is FAILED."""

NO_EXCEPTION = "scheduler.errors.RunEndedError"
"""Stands for an exception where the function raised none: timed out, lost, cancelled, refused."""

DEFERRED = ("job_id", "job_name", "requested_by", "log", "last_run_time", "slots", "term")


def read(result_id: str, backend: str, using: str) -> TaskResult:
    """Return the result that has this id.

    Raises:
        TaskResultDoesNotExist: no task of this backend has it, or its rows were deleted.
    """
    attempts = _attempts(result_id, using)
    if not attempts or attempts[0].task_backend != backend:
        raise TaskResultDoesNotExist(
            f"{result_id}: no task of the backend {backend!r} has this id, or its history was "
            "deleted by age or count"
        )
    return of_attempts(attempts)


def context(row: Execution, using: str) -> TaskContext:
    """Return what a task with ``takes_context`` gets; ``row`` is the attempt that runs."""
    return TaskContext(task_result=of_row(row, using))


def of_row(row: Execution, using: str) -> TaskResult:
    """Return the result that the newest attempt and those before it amount to."""
    earlier = _attempts(row.job_uid.hex, using)[: row.attempt - 1] if row.attempt > 1 else []
    return of_attempts([*earlier, row])


def of_attempts(attempts: Sequence[Execution]) -> TaskResult:
    """Return the result for the rows of one task, the first attempt first.

    Raises:
        TaskResultDoesNotExist: the code has no such task any more.
    """
    first, last = attempts[0], attempts[-1]
    started = [row for row in attempts if row.started_at]
    args, kwargs = load_arguments(last.args, last.kwargs)
    result: TaskResult = TaskResult(
        task=_task(first),
        id=str(first.job_uid),
        status=STATUS.get(Status(last.status), TaskResultStatus.FAILED),
        enqueued_at=first.queued_at,
        started_at=started[0].started_at if started else None,
        last_attempted_at=started[-1].started_at if started else None,
        finished_at=last.finished_at,
        args=args,
        kwargs=kwargs,
        backend=first.task_backend,
        errors=list(_errors(attempts)),
        worker_ids=[str(row.node_id) for row in started],
    )
    if last.status == Status.SUCCEEDED:
        object.__setattr__(result, "_return_value", load_result(last.return_value))
    return result


def path_of(func: str) -> str:
    """Return the dotted path of a task from the reference in its rows."""
    return func.replace(":", ".", 1)


def job_id_of(path: str) -> str:
    """Return the job id under which the runs of a task stand."""
    return TASK_PREFIX + path


def _task(row: Execution) -> Task:
    path = path_of(row.func)
    try:
        found = import_string(path)
    except Exception as error:  # whatever importing a module of the project raises
        raise TaskResultDoesNotExist(
            f"{row.job_uid}: {path} cannot be imported: {error}"
        ) from error
    if not is_task(found):
        raise TaskResultDoesNotExist(f"{row.job_uid}: {path} is no task any more")
    if not row.task_backend:  # a job that runs the function of a task
        return found
    given: dict[str, Any] = {
        "priority": row.priority,
        "backend": row.task_backend,
        "queue_name": row.task_queue,
        "run_after": row.due_at if row.due_at > row.queued_at else None,
    }
    if all(getattr(found, name) == value for name, value in given.items()):
        return found
    return replace(found, **given)


def _errors(attempts: Iterable[Execution]) -> Iterable[TaskError]:
    for row in attempts:
        if row.status not in FINAL or row.status == Status.SUCCEEDED:
            continue
        if row.exception_class:
            yield TaskError(exception_class_path=row.exception_class, traceback=row.traceback)
        else:
            reason = row.reason or Status(row.status).english
            text = f"{NO_EXCEPTION}: {reason}\n"
            yield TaskError(exception_class_path=NO_EXCEPTION, traceback=text)


def _attempts(result_id: str, using: str) -> list[Execution]:
    try:
        uid = UUID(str(result_id))
    except ValueError:
        return []
    rows = Execution._base_manager.using(using).filter(job_uid=uid)
    return list(rows.exclude(task_backend="").defer(*DEFERRED).order_by("attempt"))
