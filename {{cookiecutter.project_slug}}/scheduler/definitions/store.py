"""``RowJobStore``: APScheduler's job store contract on the rows.

The contract holds in whichever thread calls, on that thread's own connection. A definition that
cannot be loaded is hidden from every answer, so that no loop spins on it, and never deleted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from apscheduler.job import Job as APSchedulerJob
from apscheduler.jobstores.base import BaseJobStore, JobLookupError
from django.db import InterfaceError, OperationalError, connections, transaction

from ..conf import conf
from ..errors import DefinitionError
from ..models import Job
from ..models.job import JobQuerySet, JobState
from . import changes, replacing, states, stored
from .options import check_id
from .states import Event
from .stored import StoredJob

Method = TypeVar("Method", bound=Callable[..., Any])


def reconnecting(method: Method) -> Method:
    """Try once more on a new connection when the thread's old one turns out to be dead."""

    @functools.wraps(method)
    def tried(self: RowJobStore, *args: Any, **kwargs: Any) -> Any:
        connection = connections[self.using]
        if connection.in_atomic_block:
            return method(self, *args, **kwargs)
        try:
            return method(self, *args, **kwargs)
        except (OperationalError, InterfaceError):
            connection.close()
            return method(self, *args, **kwargs)

    return tried  # type: ignore[return-value]


class RowJobStore(BaseJobStore):
    """Store jobs in the database, for callers and for schedulers that bring the engine.

    Args:
        pickle_protocol: accepted for django-apscheduler's sake; nothing is pickled.
        using: alias of the database; ``APSCHEDULER_DATABASE`` if not given.
    """

    def __init__(self, pickle_protocol: int | None = None, *, using: str | None = None) -> None:
        super().__init__()
        self._using = using
        self._has_engine = False

    @property
    def using(self) -> str:
        """Return the alias of the database that holds the jobs."""
        return self._using or conf().DATABASE

    def start(self, scheduler: Any, alias: str) -> None:
        """Join a scheduler under an alias, as APScheduler asks of a job store."""
        super().start(scheduler, alias)
        self._has_engine = bool(getattr(scheduler, "has_engine", False))

    def shutdown(self) -> None:
        """Close the calling thread's connection, which is all that it may close."""
        if not connections[self.using].in_atomic_block:
            connections[self.using].close()

    @reconnecting
    def lookup_job(self, job_id: str) -> StoredJob | None:
        """Return the job, or None.

        Raises:
            DefinitionError: there is such a row, and it cannot be loaded.
        """
        row = self._rows().exclude(state=JobState.RETIRED).filter(pk=job_id).first()
        return row and stored.to_job(row, self._scheduler, self._alias)

    @reconnecting
    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return active jobs whose next run time has come, and quarantine broken ones on the way.

        Returns none to a scheduler with an engine: where it also has other stores, APScheduler's
        loop asks this one too, by the host's clock, and would run rows that the engine, by the
        database's, has not claimed.
        """
        if self._has_engine:
            return []
        jobs = []
        for row in self._rows().due(now):
            try:
                jobs.append(stored.to_job(row, self._scheduler, self._alias))
            except DefinitionError as error:
                self._quarantine(row, error)
        return _in_order(jobs)

    @reconnecting
    def get_next_run_time(self) -> datetime | None:
        """Return the earliest next run time among active jobs that can be loaded.

        Returns None to a scheduler with an engine, which wakes by itself.
        """
        if self._has_engine:
            return None
        broken: list[str] = []
        rows = self._rows().filter(state=JobState.ACTIVE, next_run_time__isnull=False)
        while row := rows.exclude(pk__in=broken).order_by("next_run_time").first():
            try:
                return stored.to_job(row).next_run_time
            except DefinitionError:
                broken.append(row.pk)
        return None

    @reconnecting
    def get_all_jobs(self) -> list[StoredJob]:
        """Return every job that can be loaded, next first, paused ones last."""
        jobs = []
        for row in self._rows().exclude(state=JobState.RETIRED):
            try:
                jobs.append(stored.to_job(row, self._scheduler, self._alias))
            except DefinitionError as error:
                self._logger.warning("Left out: %s", error)
        return _in_order(jobs)

    @reconnecting
    def add_job(self, job: APSchedulerJob) -> None:
        """Add a row.

        Raises:
            ConflictingIdError: the id is taken; a surrounding transaction stays usable.
        """
        row = changes.insert(Job(**_new_row(job, {})), self.using)
        self._wrote(job, row)

    @reconnecting
    def add_jobs(self, jobs: Sequence[APSchedulerJob]) -> None:
        """Add rows, all or none.

        Raises:
            ConflictingIdError: ids that are taken; a surrounding transaction stays usable.
        """
        changes.insert_all(_new_rows(jobs), self.using)

    @reconnecting
    def update_job(self, job: APSchedulerJob) -> None:
        """Write what changed since ``job`` was read; a job that was not read is added again.

        What somebody else changed since, a pause above all, stays as they left it. To write the
        same object again writes what changed since the last time.

        Raises:
            JobLookupError: there is no such row any more, or another one under the same id.
        """
        with transaction.atomic(using=self.using):
            row = changes.locked(job.id, self.using)
            if getattr(job, "_read", None) is None:
                columns = replacing.again(row, job, datetime.now(UTC))
            elif job._uid != row.uid:
                raise JobLookupError(job.id)
            else:
                columns = self._modified(row, job)
            changes.change(row, self.using, **columns)
        self._wrote(job, row)

    def mend_job(self, job_id: str, replacements: dict[str, Any]) -> StoredJob:
        """Modify a job of which a part cannot be loaded that ``replacements`` replace.

        Raises:
            JobLookupError: no such job.
            DefinitionError: a part that is not replaced cannot be loaded.
        """
        with transaction.atomic(using=self.using):
            row = changes.locked(job_id, self.using)
            job = stored.mended(row, replacements, self._scheduler, self._alias)
            changes.change(row, self.using, **self._modified(row, job))
            return stored.to_job(row, self._scheduler, self._alias)

    @reconnecting
    def remove_job(self, job_id: str) -> None:
        """Delete the row; its history stays.

        Raises:
            JobLookupError: no such job.
        """
        with transaction.atomic(using=self.using):
            changes.delete(changes.locked(job_id, self.using), self.using)

    @reconnecting
    def remove_all_jobs(self) -> None:
        """Delete every row; the history stays."""
        with transaction.atomic(using=self.using):
            changes.delete_all(self.using)

    def _wrote(self, job: APSchedulerJob, row: Job) -> None:
        if isinstance(job, StoredJob):
            stored.take(job, row, stored.columns(job))

    def _rows(self) -> JobQuerySet:
        return Job.objects.using(self.using)

    def _quarantine(self, row: Job, error: DefinitionError) -> None:
        self._logger.error("Quarantined: %s", error)
        with transaction.atomic(using=self.using):
            now = self._rows().select_for_update().filter(pk=row.pk, uid=row.uid).first()
            if now and _definition(now) == _definition(row):
                changes.quarantine(now, str(error), self.using)

    def _modified(self, row: Job, job: Any) -> dict[str, Any]:
        columns = stored.changed(job)
        for name in _undoing(row, job._row, columns):
            del columns[name]
            self._logger.warning(
                "Job %r: %s was changed by somebody else since it was read, and stays so",
                row.id,
                name,
            )
        if "trigger" in columns:
            columns["planned_trigger"] = columns["trigger"]
        if not columns.keys().isdisjoint(stored.LOADED):
            columns |= states.after(row.state, Event.MENDED)
        if "next_run_time" in columns:
            columns |= states.after(row.state, Event.SCHEDULED, columns["next_run_time"])
        return columns


def _new_rows(jobs: Iterable[APSchedulerJob]) -> list[dict[str, Any]]:
    references: dict[Any, str] = {}
    return [_new_row(job, references) for job in jobs]


def _new_row(job: APSchedulerJob, references: dict[Any, str]) -> dict[str, Any]:
    check_id(job.id)
    columns = stored.whole(job, references)
    columns |= states.after(states.NEW, Event.ADDED, columns["next_run_time"])
    return {"id": job.id, **columns}


def _undoing(row: Job, read: Mapping[str, Any], columns: Mapping[str, Any]) -> set[str]:
    """Return those of the columns that would undo what somebody else changed since it was read.

    A next run time belongs to the trigger that it was computed from, and to the state. To pause is
    no such time: it holds whenever the job runs next, by whatever trigger.
    """
    others = {name for name, value in read.items() if getattr(row, name) != value}
    undoing = others & columns.keys() - {"next_run_time"}
    if "next_run_time" not in columns or not others & {"trigger", "state", "next_run_time"}:
        return undoing
    if row.state not in (JobState.ACTIVE, JobState.QUARANTINED):
        is_kept = "state" not in others and "trigger" in columns.keys() - undoing
    elif columns["next_run_time"] is None:
        is_kept = read["state"] != JobState.PAUSED
    else:
        is_kept = "trigger" in columns.keys() - undoing
    return undoing if is_kept else undoing | {"next_run_time"}


def _definition(row: Job) -> tuple[Any, ...]:
    return row.state, row.func, row.trigger, row.args, row.kwargs


def _in_order(jobs: Iterable[StoredJob]) -> list[StoredJob]:
    return sorted(jobs, key=lambda job: (job.next_run_time is None, job.next_run_time or 0, job.id))
