"""``SchedulerClient``: APScheduler's own API in web processes, shells and tests, without a loop.

It owns no thread and no connection, and needs no ``start()``: every call is statements on the
caller's connection, and the scheduler's process acts on what they commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NoReturn

from apscheduler.schedulers.base import STATE_RUNNING
from apscheduler.util import undefined
from django.db import transaction

from ..definitions import changes, declarations, declared, states
from ..definitions.states import Event
from ..definitions.store import RowJobStore
from ..errors import NotHereError
from ..models import Execution
from . import pause as cluster_pause
from . import runs
from .jobs import RowScheduler


class SchedulerClient(RowScheduler):
    """APScheduler's API on the rows, for processes without a loop.

    ``from scheduler import scheduler`` is one of these.
    """

    is_client = True

    def __init__(self, using: str | None = None) -> None:
        super().__init__()
        super().add_jobstore(RowJobStore(using=using), "default")
        self._jobstores["default"].start(self, "default")
        self.state = STATE_RUNNING

    @property
    def using(self) -> str:
        """Return the alias of the database that holds the scheduler's tables."""
        return self._jobstores["default"].using

    @property
    def paused(self) -> bool:
        """Return whether all scheduler processes are paused."""
        return cluster_pause.is_paused(self.using)

    @property
    def running(self) -> bool:
        """Return whether a scheduler process is alive somewhere."""
        return runs.is_anybody_alive(self.using)

    def run_now(
        self,
        job_id: str,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        requested_by: str = "",
        wait: bool = False,
        timeout: float | None = None,
    ) -> Execution:
        """Queue one run of the job, due now, whether the job is paused or not.

        Args:
            args, kwargs: instead of the job's own.
            requested_by: who asks, for the history; at most 150 characters are kept.
            wait: until the run has ended, at most ``timeout`` seconds
                (``APSCHEDULER_RUN_NOW_TIMEOUT`` if None).

        Raises:
            JobLookupError, DefinitionError, ValueError, SerializationError: nothing was asked for.
            InAtomicBlockError: ``wait`` inside ``transaction.atomic()``; nothing was asked for.
            RunNowTimeoutError: it has not ended yet; its ``execution`` goes on.
        """
        if wait:
            runs.check_wait(timeout)
            runs.refuse_in_atomic_block(self.using)
        execution = runs.run_now(job_id, self.using, args, kwargs, requested_by)
        return runs.wait_for(execution, self.using, timeout) if wait else execution

    def cancel(self, execution_id: int, requested_by: str = "") -> Execution:
        """Cancel a queued execution at once; ask a running one to stop.

        Raises:
            ExecutionLookupError: no such execution.
            ExecutionStateError: it has ended.
        """
        return runs.cancel(execution_id, self.using, requested_by)

    def retry(self, execution_id: int, requested_by: str = "") -> Execution:
        """Queue another attempt at what an ended execution stood for.

        Raises:
            ExecutionLookupError: no such execution.
            ExecutionStateError: it has not ended, or it is retried already.
        """
        return runs.retry(execution_id, self.using, requested_by)

    def reset_job(self, job_id: str, *columns: str) -> Any:
        """Give a declared job back what its declaration says, whatever was changed since.

        Args:
            columns: names of those to reset, such as ``"trigger"``; all, and a pause, if none.

        Raises:
            JobLookupError: no such job, or its declaration is not in the code.
            ValueError: a column that no declaration has, or that does not fit the others.
        """
        if columns:
            declared.reset_columns(job_id, columns, self.using)
        else:
            declared.reset(job_id, self.using)
        return self.get_job(job_id)

    def retry_job(self, job_id: str) -> None:
        """Release a job from quarantine, so that the scheduler tries it again at once.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            row = changes.locked(job_id, self.using)
            changes.change(row, self.using, **states.after(row.state, Event.RELEASED))

    def retire_job(self, job_id: str) -> None:
        """Stop scheduling the job and keep its row and its history.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            row = changes.locked(job_id, self.using)
            changes.change(row, self.using, **states.after(row.state, Event.RETIRED))

    def scheduled_job(
        self,
        trigger: Any,
        args: Any = None,
        kwargs: Any = None,
        id: str | None = None,
        name: str | None = None,
        misfire_grace_time: Any = undefined,
        coalesce: Any = undefined,
        max_instances: Any = undefined,
        next_run_time: Any = undefined,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = True,
        **options: Any,
    ) -> Callable[..., Any]:
        """Declare a job, as ``@job`` does: importing a module writes nothing.

        A declaration replaces the one before in any case, and names no next run time.
        """
        if jobstore != "default":
            raise NotHereError("it has one job store, the database")
        said = {
            "misfire_grace_time": misfire_grace_time,
            "coalesce": coalesce,
            "max_instances": max_instances,
            "next_run_time": next_run_time,
        }
        options |= {option: value for option, value in said.items() if value is not undefined}
        return declarations.job(
            trigger, args=args, kwargs=kwargs, id=id, name=name, executor=executor, **options
        )

    def start(self, paused: bool = False) -> NoReturn:
        """Refuse to start, as all else that belongs to a loop: a client has none."""
        raise NotHereError(f"it has no loop. {runs.START_ONE}")

    def shutdown(self, wait: bool = True) -> NoReturn:
        """Refuse to shut down: a client has no loop."""
        raise NotHereError("end the process of manage.py runapscheduler: SIGTERM drains it")

    def pause(self, requested_by: str = "") -> None:
        """Pause all scheduler processes, for maintenance: no run starts, running ones end.

        It lasts, across restarts and changes of leader, until ``resume()``.
        """
        cluster_pause.pause(self.using, requested_by)

    def resume(self, requested_by: str = "") -> None:
        """Resume all scheduler processes. What fell due meanwhile follows its misfire policy."""
        cluster_pause.resume(self.using, requested_by)

    def add_executor(self, executor: Any, alias: str = "default", **options: Any) -> NoReturn:
        """Refuse an executor: a client has no loop."""
        raise NotHereError("executors belong to the process of manage.py runapscheduler")

    def remove_executor(self, alias: str, shutdown: bool = True) -> NoReturn:
        """Refuse to remove an executor: a client has none."""
        raise NotHereError("executors belong to the process of manage.py runapscheduler")

    def add_jobstore(self, jobstore: Any, alias: str = "default", **options: Any) -> NoReturn:
        """Refuse a job store: a client has the database only."""
        raise NotHereError("it has one job store, the database")

    def remove_jobstore(self, alias: str, shutdown: bool = True) -> NoReturn:
        """Refuse to remove a job store: a client has the database only."""
        raise NotHereError("it has one job store, the database")

    def wakeup(self) -> None:
        """Do nothing: the rows announce themselves when they are committed."""

    def _create_lock(self) -> Any:
        # A lock held while waiting for the database could deadlock with the database's own.
        return nullcontext()
