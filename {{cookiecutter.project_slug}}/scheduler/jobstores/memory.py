"""``DjangoMemoryJobStore``: jobs in the memory of one process, their history in the database."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
)
from apscheduler.job import Job as APSchedulerJob
from apscheduler.jobstores.memory import MemoryJobStore
from django.db import connections

from ..conf import conf
from ..db.clock import db_now
from ..engine.executors.runner import clean, dump_result
from ..models import Execution
from ..models.execution import Status

logger = logging.getLogger("scheduler.memorystore")

MAX_REMOVED_JOBS = 1000
"""Jobs that are gone and still remembered: the last run of one ends after its removal."""
STATUS = {
    EVENT_JOB_EXECUTED: Status.SUCCEEDED,
    EVENT_JOB_ERROR: Status.FAILED,
    EVENT_JOB_MISSED: Status.MISSED,
    EVENT_JOB_MAX_INSTANCES: Status.SKIPPED,
}


class DjangoMemoryJobStore(MemoryJobStore):
    """Store jobs in memory, for jobs that each process has for itself.

    No lease: each scheduler runs its own. A run is written when it has ended, so no row stays open
    when the process dies. The store does not see when a job function starts; ``started_at`` stays
    empty.
    """

    def __init__(self, *, using: str | None = None) -> None:
        super().__init__()
        self._using = using
        self._known: dict[str, tuple[uuid.UUID, str, str]] = {}
        self._gone: dict[str, tuple[uuid.UUID, str, str]] = {}

    @property
    def using(self) -> str:
        return self._using or conf().DATABASE

    def start(self, scheduler: Any, alias: str) -> None:
        super().start(scheduler, alias)
        if scheduler is not None:
            mask = sum(STATUS)
            scheduler.add_listener(self._record, mask)

    def shutdown(self) -> None:
        if self._scheduler is not None:
            self._scheduler.remove_listener(self._record)
        super().shutdown()

    def add_job(self, job: APSchedulerJob) -> None:
        super().add_job(job)
        self._known[job.id] = (uuid.uuid4(), job.name, job.func_ref or repr(job.func))

    def remove_job(self, job_id: str) -> None:
        super().remove_job(job_id)
        self._forget(job_id)

    def remove_all_jobs(self) -> None:
        super().remove_all_jobs()
        for job_id in list(self._known):
            self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        self._gone.pop(job_id, None)  # an earlier one of that id; the newest goes last
        self._gone[job_id] = self._known.pop(job_id)
        if len(self._gone) > MAX_REMOVED_JOBS:
            del self._gone[next(iter(self._gone))]

    def _record(self, event: Any) -> None:
        if event.jobstore != self._alias:
            return
        times = getattr(event, "scheduled_run_times", None) or [event.scheduled_run_time]
        try:
            for at in times:
                self._insert(event, at)
        except Exception:  # a listener must not raise, and the run is over anyway
            logger.exception("A run of %r could not be recorded", event.job_id)
        finally:
            if not connections[self.using].in_atomic_block:
                connections[self.using].close_if_unusable_or_obsolete()

    def _insert(self, event: Any, at: Any) -> None:
        known = self._known.get(event.job_id) or self._gone.get(event.job_id)
        uid, name, func = known or (uuid.uuid4(), event.job_id, "")
        now = db_now(self.using)
        error = getattr(event, "exception", None)
        Execution(
            job_id=event.job_id,
            job_uid=uid,
            job_name=name[:255],
            func=func[:255],
            scheduled_run_time=at,
            due_at=at,
            queued_at=at,
            finished_at=now,
            status=STATUS[event.code],
            exception=clean(f"{type(error).__name__}: {error}") if error else "",
            traceback=clean(getattr(event, "traceback", None) or ""),
            return_value=dump_result(getattr(event, "retval", None)),
        ).save(using=self.using, force_insert=True)
