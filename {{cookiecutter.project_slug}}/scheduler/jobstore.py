"""``DjangoJobStore``: APScheduler's job store contract on the rows, for any APScheduler scheduler.

The contract holds in whichever thread calls, on that thread's own connection. A definition that
cannot be loaded is hidden from every answer, so that no loop spins on it, and never deleted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from apscheduler.job import Job as APSchedulerJob
from apscheduler.jobstores.base import BaseJobStore, JobLookupError
from apscheduler.schedulers.base import BaseScheduler
from django.db import InterfaceError, OperationalError, connections, transaction

from . import definitions, jobrow, registration
from .conf import conf
from .errors import DefinitionError
from .models import Job
from .models.job import JobQuerySet, JobState

if TYPE_CHECKING:
    from .engine.plain import Keeper

Method = TypeVar("Method", bound=Callable[..., Any])


def reconnecting(method: Method) -> Method:
    """Try once more on a new connection when the thread's old one turns out to be dead."""

    @functools.wraps(method)
    def tried(self: DjangoJobStore, *args: Any, **kwargs: Any) -> Any:
        connection = connections[self.using]
        if connection.in_atomic_block:
            return method(self, *args, **kwargs)
        try:
            return method(self, *args, **kwargs)
        except (OperationalError, InterfaceError):
            connection.close()
            return method(self, *args, **kwargs)

    return tried  # type: ignore[return-value]


class DjangoJobStore(BaseJobStore):
    """Jobs in the database.

    Args:
        pickle_protocol: accepted for django-apscheduler's sake; nothing is pickled.
        using: alias of the database; ``APSCHEDULER_DATABASE`` if not given.
    """

    def __init__(self, pickle_protocol: int | None = None, *, using: str | None = None) -> None:
        super().__init__()
        self._using = using
        self._keeper: Keeper | None = None
        self._has_left = False
        self._has_engine = False

    @property
    def using(self) -> str:
        return self._using or conf().DATABASE

    def start(self, scheduler: Any, alias: str) -> None:
        """Belong to a scheduler. Beside a stock one a thread takes part in the lease."""
        super().start(scheduler, alias)
        self._has_engine = bool(getattr(scheduler, "has_engine", False))
        if isinstance(scheduler, BaseScheduler) and not self._has_engine:
            from .engine.plain import Keeper

            self._keeper = Keeper(self.using, scheduler, alias)
            self._has_left = False
            self._keeper.start()

    def shutdown(self) -> None:
        """Close the calling thread's connection, which is all that it may close."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper, self._has_left = None, True
        if not connections[self.using].in_atomic_block:
            connections[self.using].close()

    @reconnecting
    def lookup_job(self, job_id: str) -> jobrow.RowJob | None:
        """The job, or None.

        Raises:
            DefinitionError: there is such a row, and it cannot be loaded.
        """
        row = self._rows().exclude(state=JobState.RETIRED).filter(pk=job_id).first()
        return row and jobrow.to_job(row, self._scheduler, self._alias)

    @reconnecting
    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Active jobs whose next run time has come. Broken ones are quarantined on the way.

        To a stock scheduler: the runs that its keeper has claimed for it. None after its shutdown,
        which waits for bodies while its loop waits for the lock: that turn would move jobs on and
        find no executor to run them. None to a scheduler with an engine: where it also has other
        stores, APScheduler's loop asks this one too, by the host's clock, and would run rows that
        the engine, by the database's, has not claimed.
        """
        if self._has_left or self._has_engine:
            return []
        if self._keeper is not None:
            return self._keeper.due()
        jobs = []
        for row in self._rows().due(now):
            try:
                jobs.append(jobrow.to_job(row, self._scheduler, self._alias))
            except DefinitionError as error:
                self._quarantine(row, error)
        return _in_order(jobs)

    @reconnecting
    def get_next_run_time(self) -> datetime | None:
        """The earliest next run time among active jobs that can be loaded.

        To a scheduler always None: its keeper or its engine wakes it.
        """
        if self._keeper is not None or self._has_left or self._has_engine:
            return None
        broken: list[str] = []
        rows = self._rows().filter(state=JobState.ACTIVE, next_run_time__isnull=False)
        while row := rows.exclude(pk__in=broken).order_by("next_run_time").first():
            try:
                return jobrow.to_job(row).next_run_time
            except DefinitionError:
                broken.append(row.pk)
        return None

    @reconnecting
    def get_all_jobs(self) -> list[jobrow.RowJob]:
        """Every job that can be loaded, next first, paused ones last."""
        jobs = []
        for row in self._rows().exclude(state=JobState.RETIRED):
            try:
                jobs.append(jobrow.to_job(row, self._scheduler, self._alias))
            except DefinitionError as error:
                self._logger.warning("Left out: %s", error)
        return _in_order(jobs)

    @reconnecting
    def add_job(self, job: APSchedulerJob) -> None:
        """Add a row.

        Raises:
            ConflictingIdError: the id is taken; a surrounding transaction stays usable.
        """
        columns = jobrow.changed(job)
        state = JobState.ACTIVE if columns["next_run_time"] else JobState.PAUSED
        with transaction.atomic(using=self.using):
            definitions.insert(Job(id=job.id, state=state, **columns), self.using)

    @reconnecting
    def update_job(self, job: APSchedulerJob) -> None:
        """Write what changed since ``job`` was read; a job that was not read is added again.

        Raises:
            JobLookupError: there is no such row any more, or another one under the same id.
        """
        if self._keeper is not None and self._keeper.handed_out(job):
            return
        with transaction.atomic(using=self.using):
            row = definitions.locked(job.id, self.using)
            if getattr(job, "_read", None) is None:
                columns = registration.again(row, job, datetime.now(UTC))
            elif job._uid != row.uid:
                raise JobLookupError(job.id)
            else:
                columns = _modified(row, job)
            definitions.change(row, self.using, **columns)

    def mend_job(self, job_id: str, changes: dict[str, Any]) -> jobrow.RowJob:
        """Modify a job of which a part cannot be loaded that ``changes`` replace.

        Raises:
            JobLookupError: no such job.
            DefinitionError: a part that is not replaced cannot be loaded.
        """
        with transaction.atomic(using=self.using):
            row = definitions.locked(job_id, self.using)
            job = jobrow.mended(row, changes, self._scheduler, self._alias)
            definitions.change(row, self.using, **_modified(row, job))
            return jobrow.to_job(row, self._scheduler, self._alias)

    @reconnecting
    def remove_job(self, job_id: str) -> None:
        """Delete the row; its history stays.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            definitions.delete(definitions.locked(job_id, self.using), self.using)

    @reconnecting
    def remove_all_jobs(self) -> None:
        """Delete every row; the history stays."""
        with transaction.atomic(using=self.using):
            definitions.delete_all(self.using)

    def _rows(self) -> JobQuerySet:
        return Job.objects.using(self.using)

    def _quarantine(self, row: Job, error: DefinitionError) -> None:
        self._logger.error("Quarantined: %s", error)
        with transaction.atomic(using=self.using):
            now = self._rows().select_for_update().filter(pk=row.pk, uid=row.uid).first()
            if now and _definition(now) == _definition(row):
                definitions.change(
                    now, self.using, state=JobState.QUARANTINED, last_error=str(error)
                )


def _modified(row: Job, job: APSchedulerJob) -> dict[str, Any]:
    columns = jobrow.changed(job)
    if "trigger" in columns:
        columns["planned_trigger"] = columns["trigger"]
    if row.state == JobState.QUARANTINED and columns.keys() & set(jobrow.LOADED):
        columns |= {"state": JobState.ACTIVE, "last_error": ""}
    if "next_run_time" in columns:
        due = columns["next_run_time"] is not None
        columns["state"] = JobState.ACTIVE if due else JobState.PAUSED
    return columns


def _definition(row: Job) -> tuple[Any, ...]:
    return row.state, row.func, row.trigger, row.args, row.kwargs


def _in_order(jobs: Iterable[jobrow.RowJob]) -> list[jobrow.RowJob]:
    return sorted(jobs, key=lambda job: (job.next_run_time is None, job.next_run_time or 0, job.id))
