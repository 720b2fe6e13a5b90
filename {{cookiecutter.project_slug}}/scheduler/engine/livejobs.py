"""APScheduler's methods for jobs, acting on the rows: shared by the client and the scheduler.

Each works inside ``transaction.atomic()``: nothing is seen before the commit, nothing remains
after a rollback, and a conflicting id does not spoil the transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apscheduler.events import EVENT_JOB_MODIFIED, JobEvent
from apscheduler.schedulers.base import STATE_STOPPED, BaseScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import undefined
from django.db import transaction

from .. import definitions, given, jobrow, policies
from ..conf import conf
from ..errors import DefinitionError
from ..jobstore import DjangoJobStore
from ..models import Job
from ..models.job import JobState
from .clock import db_now


class LiveJobs(BaseScheduler):
    """Validates at the call, writes rows, and lets the rows announce themselves."""

    has_engine = True
    """Tells ``DjangoJobStore`` that this is no stock scheduler, which needs a keeper."""

    def add_job(
        self,
        func: Any,
        trigger: Any = None,
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
        replace_existing: bool = False,
        **options: Any,
    ) -> jobrow.RowJob:
        """APScheduler's ``add_job``, which also takes ``timeout`` (seconds; only with
        ``executor="processes"``), ``warn_after`` (seconds), ``max_retries``, ``retry_delay``
        (seconds), ``on_lost`` ("fail" or "retry") and ``sensitive`` (argument names that no page
        shows).

        Raises:
            ConflictingIdError: the id is taken and ``replace_existing`` is not set.
            FunctionError, TriggerError, SerializationError, TypeError, ValueError: what was
                given cannot become a job; nothing is stored.
        """
        policies.enforceable(options.get("timeout"), executor)
        chosen = policies.taken_from(options) | {
            "misfire_grace_time": misfire_grace_time,
            "coalesce": coalesce,
            "max_instances": max_instances,
            "next_run_time": next_run_time,
        }
        made = self._create_trigger(trigger, options)
        job = self._new_job(func, made, args, kwargs, id=id, name=name, executor=executor, **chosen)
        with self._jobstores_lock:
            if self.state == STATE_STOPPED:
                self._pending_jobs.append((job, jobstore, replace_existing))
            else:
                self._real_add_job(job, jobstore, replace_existing)
        return job

    def modify_job(self, job_id: str, jobstore: str | None = None, **changes: Any) -> jobrow.RowJob:
        """APScheduler's ``modify_job``, for our policies too. Only what differs is written.

        Raises:
            JobLookupError: no such job.
            DefinitionError: the stored job cannot be loaded, and this change does not mend it.
            FunctionError, TriggerError, SerializationError, TypeError, ValueError: what was given
                makes no job; nothing is stored.
        """
        if "executor" in changes:
            given.known_executor(changes["executor"], added=self._executors)
        self._check_enforceable(job_id, changes)
        try:
            return super().modify_job(job_id, jobstore, **changes)
        except DefinitionError:
            store = self._store_with(job_id, jobstore)
            assert store is not None  # it was found there
            return store.mend_job(job_id, changes)

    def reschedule_job(
        self, job_id: str, jobstore: str | None = None, trigger: Any = None, **trigger_args: Any
    ) -> jobrow.RowJob:
        """Give the job a new trigger and the next run time that follows from it."""
        new = self._create_trigger(trigger, trigger_args)
        at = self._first_run_time(new, job_id)
        return self.modify_job(job_id, jobstore, trigger=new, next_run_time=at)

    def pause_job(self, job_id: str, jobstore: str | None = None) -> jobrow.RowJob | None:
        """Pause the job, also one that cannot be loaded (then the answer is None).

        Raises:
            JobLookupError: no such job.
        """
        store = self._store_with(job_id, jobstore)
        if store is None:
            return super().pause_job(job_id, jobstore)
        with transaction.atomic(using=store.using):
            row = definitions.locked(job_id, store.using)
            definitions.change(row, store.using, state=JobState.PAUSED, next_run_time=None)
        return self._announced(row, store)

    def resume_job(self, job_id: str, jobstore: str | None = None) -> jobrow.RowJob | None:
        """Resume a job that is paused, retired or finished, from its next time on; one whose
        schedule is over is removed. One in quarantine keeps the runs that it owes, an active one
        is left alone.

        Raises:
            JobLookupError: no such job.
            DefinitionError: it cannot be loaded.
        """
        store = self._store_with(job_id, jobstore)
        if store is None:
            return super().resume_job(job_id, jobstore)
        with transaction.atomic(using=store.using):
            row = definitions.locked(job_id, store.using)
            if row.state == JobState.ACTIVE:
                return jobrow.to_job(row, self, store._alias)
            trigger = jobrow.to_job(row).trigger
            owed = row.next_run_time if row.state == JobState.QUARANTINED else None
            at = owed or self._next_after_now(trigger)
            if at is None and not row.declared:
                definitions.delete(row, store.using)
                return None
            state = JobState.ACTIVE if at else JobState.FINISHED
            definitions.change(row, store.using, state=state, next_run_time=at, last_error="")
        return self._announced(row, store)

    def _check_enforceable(self, job_id: str, changes: dict[str, Any]) -> None:
        """Either may break the pair. Of a job that is still pending only the changes are known."""
        pair = ("timeout", "executor")
        if changes.keys().isdisjoint(pair):
            return
        rows = Job.objects.using(conf().DATABASE).filter(id=job_id)
        after = {"timeout": None, "executor": ""} | (rows.values(*pair).first() or {}) | changes
        policies.enforceable(after["timeout"], after["executor"])

    def _new_job(
        self, func: Any, trigger: BaseTrigger, args: Any, kwargs: Any, **options: Any
    ) -> jobrow.RowJob:
        given.known_executor(options["executor"], added=self._executors)
        return jobrow.RowJob(
            self,
            func=func,
            trigger=trigger,
            args=tuple(args) if args is not None else (),
            kwargs=dict(kwargs) if kwargs is not None else {},
            **{name: value for name, value in options.items() if value is not undefined},
        )

    def _real_add_job(self, job: Any, jobstore_alias: str, replace_existing: bool) -> None:
        filled = {
            name: value
            for name, value in self._defaults.items()
            if not hasattr(job, name) and name not in job._policies
        }
        if not hasattr(job, "next_run_time"):
            filled["next_run_time"] = self._first_run_time(job.trigger, job.id)
        job._modify(**filled)
        super()._real_add_job(job, jobstore_alias, replace_existing)

    def _configure(self, config: dict[str, Any]) -> None:
        defaults = {**policies.DEFAULTS, "misfire_grace_time": None, **conf().JOB_DEFAULTS}
        defaults |= config.get("job_defaults") or {}
        super()._configure({"timezone": given.default_zone(), **config, "job_defaults": defaults})
        own = {name: defaults[name] for name in policies.POLICY_NAMES}
        self._defaults = {**self._job_defaults, **own}

    def _create_trigger(self, trigger: Any, trigger_args: dict[str, Any]) -> BaseTrigger:
        if isinstance(trigger, str) and trigger in self._own_triggers():
            return super()._create_trigger(trigger, trigger_args)
        return given.make_trigger(trigger, trigger_args, self.timezone)

    def _own_triggers(self) -> set[str]:
        """Kinds that other packages add. A database cannot hold them; a store in memory can."""
        return (self._trigger_plugins.keys() | self._trigger_classes.keys()) - given.KINDS

    def _first_run_time(self, trigger: BaseTrigger, job_id: str) -> datetime:
        at = self._next_after_now(trigger)
        if at is None:
            raise ValueError(f"The trigger of job {job_id!r} never fires: {trigger}")
        return at

    def _next_after_now(self, trigger: BaseTrigger) -> datetime | None:
        now = db_now(self._using()).astimezone(self.timezone)
        return trigger.get_next_fire_time(None, now)

    def _using(self) -> str:
        """Whose clock counts: that of the database with the jobs."""
        stores = [store for store in self._jobstores.values() if isinstance(store, DjangoJobStore)]
        return stores[0].using if stores else conf().DATABASE

    def _store_with(self, job_id: str, alias: str | None) -> DjangoJobStore | None:
        if self.state == STATE_STOPPED:
            return None
        for name, store in self._jobstores.items():
            if alias not in (None, name) or not isinstance(store, DjangoJobStore):
                continue
            if Job.objects.using(store.using).filter(pk=job_id).exists():
                return store
        return None

    def _announced(self, row: Job, store: DjangoJobStore) -> jobrow.RowJob | None:
        self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, row.id, store._alias))
        try:
            return jobrow.to_job(row, self, store._alias)
        except DefinitionError:
            return None
