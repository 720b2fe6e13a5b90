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
from django.core.signals import setting_changed
from django.db import transaction
from django.utils.functional import empty

from .. import declarations, definitions, syncing
from ..conf import PREFIX
from ..errors import NotHereError
from ..jobstore import DjangoJobStore
from ..models import Execution
from ..models.job import JobState
from . import requests
from .livejobs import LiveJobs


class SchedulerClient(LiveJobs):
    """What ``from scheduler import scheduler`` gives."""

    is_client = True

    def __init__(self, using: str | None = None) -> None:
        super().__init__()
        super().add_jobstore(DjangoJobStore(using=using), "default")
        self._jobstores["default"].start(self, "default")
        self.state = STATE_RUNNING

    @property
    def using(self) -> str:
        """Alias of the database that holds the scheduler's tables."""
        return self._jobstores["default"].using

    @property
    def running(self) -> bool:
        """Whether a scheduler is alive somewhere."""
        return requests.is_anybody_alive(self.using)

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
        """Have the scheduler run the job once, now, whether paused or not.

        Args:
            args, kwargs: instead of the job's own.
            wait: until the run has ended, at most ``timeout`` seconds
                (``APSCHEDULER_RUN_NOW_TIMEOUT`` if None).

        Raises:
            JobLookupError, DefinitionError, ValueError, SerializationError: nothing was asked for.
            InAtomicBlockError: ``wait`` inside ``transaction.atomic()``; nothing was asked for.
            RunNowTimeoutError: it has not ended yet; its ``execution`` goes on.
        """
        if wait:
            requests.refuse_in_atomic_block(self.using)
        execution = requests.run_now(job_id, self.using, args, kwargs, requested_by)
        return requests.wait_for(execution, self.using, timeout) if wait else execution

    def cancel(self, execution_id: int, requested_by: str = "") -> Execution:
        """Cancel a queued execution at once; ask a running one to stop.

        Raises:
            ExecutionLookupError: no such execution.
            ExecutionStateError: it has ended.
        """
        return requests.cancel(execution_id, self.using, requested_by)

    def retry(self, execution_id: int, requested_by: str = "") -> Execution:
        """Queue another attempt at what an ended execution stood for.

        Raises:
            ExecutionLookupError: no such execution.
            ExecutionStateError: it has not ended, or it is retried already.
        """
        return requests.retry(execution_id, self.using, requested_by)

    def reset_job(self, job_id: str) -> Any:
        """Give a declared job back what its declaration says, whatever was changed since.

        Raises:
            JobLookupError: no such job, or its declaration is not in the code.
        """
        syncing.reset(job_id, self.using)
        return self.get_job(job_id)

    def retry_job(self, job_id: str) -> None:
        """Release a job from quarantine, so that the scheduler tries it again at once.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            row = definitions.locked(job_id, self.using)
            if row.state == JobState.QUARANTINED:
                definitions.change(row, self.using, state=JobState.ACTIVE, last_error="")

    def retire_job(self, job_id: str) -> None:
        """Stop scheduling the job and keep its row and its history.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            row = definitions.locked(job_id, self.using)
            definitions.change(row, self.using, state=JobState.RETIRED, next_run_time=None)

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
        """Refused, as is what else belongs to a loop: a client has none."""
        raise NotHereError(f"it has no loop. {requests.START_ONE}")

    def shutdown(self, wait: bool = True) -> NoReturn:
        """Refused."""
        raise NotHereError("end the process of manage.py runapscheduler: SIGTERM drains it")

    def pause(self) -> NoReturn:
        """Refused."""
        raise NotHereError("pause single jobs, or end the process of manage.py runapscheduler")

    def resume(self) -> NoReturn:
        """Refused."""
        raise NotHereError("resume single jobs, or start manage.py runapscheduler")

    def add_executor(self, executor: Any, alias: str = "default", **options: Any) -> NoReturn:
        """Refused."""
        raise NotHereError("executors belong to the process of manage.py runapscheduler")

    def remove_executor(self, alias: str, shutdown: bool = True) -> NoReturn:
        """Refused."""
        raise NotHereError("executors belong to the process of manage.py runapscheduler")

    def add_jobstore(self, jobstore: Any, alias: str = "default", **options: Any) -> NoReturn:
        """Refused."""
        raise NotHereError("it has one job store, the database")

    def remove_jobstore(self, alias: str, shutdown: bool = True) -> NoReturn:
        """Refused."""
        raise NotHereError("it has one job store, the database")

    def wakeup(self) -> None:
        """Nothing to do: the rows announce themselves when they are committed."""

    def _create_lock(self) -> Any:
        # A lock held while waiting for the database could deadlock with the database's own.
        return nullcontext()


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX):
        import scheduler

        scheduler.scheduler._wrapped = empty


setting_changed.connect(_forget)
