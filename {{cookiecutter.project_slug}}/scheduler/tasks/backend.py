"""``SchedulerBackend``: what ``@task`` and ``.enqueue()`` reach through the setting ``TASKS``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async

from ..conf import conf
from ..definitions import references
from ..definitions.options import EXECUTORS
from ..models.execution import Kind
from . import results
from .api import BaseTaskBackend, InvalidTask, Task, TaskResult, TaskResultStatus, task_enqueued
from .arguments import dump_arguments
from .insert import NOW, TaskInsert, latest_of_now_and
from .listeners import is_heard
from .options import read_options

Call = tuple[Sequence[Any], Mapping[str, Any]]
"""Positional and keyword arguments."""

ROW = ("job_uid", "args", "kwargs")
"""The columns in which calls of one task differ."""
STATEMENTS = 256
"""Most tasks whose statement is kept."""
PATH_LENGTH = 250
"""Characters that the dotted path of a task may have: with its prefix it is the job id."""


class SchedulerBackend(BaseTaskBackend):
    """Queues tasks as executions in the scheduler's database, which the scheduler runs once.

    A queue is an executor: the one of its name, or the one that ``OPTIONS["executors"]`` maps it
    to, or else ``default``. ``OPTIONS`` also takes ``timeout``, ``warn_after``, ``max_retries``,
    ``retry_delay``, ``on_lost`` and ``sensitive``, as jobs do, and ``keep_days``.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.task_options = read_options(alias, params)
        if "QUEUES" not in params:
            self.queues = {*EXECUTORS, *self.task_options.executors}
        self._insert = lru_cache(STATEMENTS)(self._prepare)

    def validate_task(self, task: Task) -> None:
        """Check that the backend can run the task.

        Raises:
            InvalidTask: it cannot; the message says why, and names the task.
        """
        try:
            super().validate_task(task)
        except InvalidTask as error:
            raise InvalidTask(f"{error} {self._hint(task)}") from None

    def enqueue(self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult:
        """Queue one run of the task in the caller's transaction: it exists when that commits.

        Raises:
            InvalidTask: the scheduler cannot run this task; nothing is stored.
            TypeError, ValueError: JSON cannot carry an argument; nothing is stored.
        """
        return self.enqueue_many(task, [(args, kwargs)])[0]

    def enqueue_many(self, task: Task, calls: Iterable[Call]) -> list[TaskResult]:
        """Queue a run of the task for each call, all with one statement, or few.

        Args:
            calls: positional and keyword arguments of each run.

        Raises:
            InvalidTask, TypeError, ValueError: as ``enqueue`` does; nothing is stored.
        """
        insert = self._insert(task) if task.run_after is None else self._prepare(task)
        path = task.module_path
        given = [(uuid4(), list(args), dict(kwargs)) for args, kwargs in calls]
        if not given:
            return []
        rows = [(uid, *dump_arguments(path, args, kwargs)) for uid, args, kwargs in given]
        at = insert.insert(rows)
        enqueued = [self._ready(task, str(uid), args, kwargs, at) for uid, args, kwargs in given]
        if is_heard(task_enqueued, logging.DEBUG):
            for result in enqueued:
                task_enqueued.send(type(self), task_result=result)
        return enqueued

    async def aenqueue_many(self, task: Task, calls: Iterable[Call]) -> list[TaskResult]:
        """Queue a run of the task for each call, as ``enqueue_many`` does."""
        return await sync_to_async(self.enqueue_many, thread_sensitive=True)(task, calls)

    def get_result(self, result_id: str) -> TaskResult:
        """Return the result that has this id, as it is now.

        Raises:
            TaskResultDoesNotExist: no task of this backend has it, or its history was deleted.
        """
        return results.read(result_id, self.alias, conf().DATABASE)

    def _prepare(self, task: Task) -> TaskInsert:
        """Check a task, and make the statement that enqueues calls of it."""
        self.validate_task(task)
        self._check_reference(task)
        due = NOW if task.run_after is None else latest_of_now_and(task.run_after)
        same = {
            **self.task_options.policies,
            "kind": Kind.TASK.value,
            "task_backend": self.alias,
            "queued_at": NOW,
            "due_at": due,
            "job_id": results.job_id_of(task.module_path),
            "func": references.ref(task.func),
            "executor": self.task_options.executor(task.queue_name),
            "priority": task.priority,
            "task_queue": task.queue_name,
        }
        return TaskInsert(conf().DATABASE, same, ROW)

    def _ready(
        self, task: Task, id: str, args: list[Any], kwargs: dict[str, Any], at: Any
    ) -> TaskResult:
        return TaskResult(
            task=task,
            id=id,
            status=TaskResultStatus.READY,
            enqueued_at=at,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    def _check_reference(self, task: Task) -> None:
        """Check that the scheduler will find the task where its name says."""
        try:
            references.check_module(task.func)
        except references.FunctionError as error:
            raise InvalidTask(f"{error}. The task cannot be enqueued.") from None
        if len(task.module_path) > PATH_LENGTH:
            raise InvalidTask(f"{task.module_path}: a path may have {PATH_LENGTH} characters.")

    def _hint(self, task: Task) -> str:
        path = f"{getattr(task.func, '__module__', '')}.{getattr(task.func, '__qualname__', '')}"
        queues = ", ".join(sorted(self.queues))
        return f"(Task {path.strip('.') or task.func!r}, backend {self.alias!r}; queues: {queues}.)"
