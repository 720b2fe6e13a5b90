"""APScheduler's methods for jobs, acting on the rows: shared by the client and the scheduler.

Each works inside ``transaction.atomic()``: nothing is seen before the commit, nothing remains
after a rollback, and a conflicting id does not spoil the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from apscheduler.events import EVENT_JOB_ADDED, EVENT_JOB_MODIFIED, JobEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import STATE_RUNNING, STATE_STOPPED, BaseScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import undefined
from django.db import transaction

from .. import triggers
from ..conf import conf
from ..db.clock import RecentClock, db_now
from ..definitions import changes, references, states, stored
from ..definitions.changes import locked, unknown_job
from ..definitions.options import (
    POLICY_DEFAULTS,
    POLICY_NAMES,
    check_limits,
    check_timeout,
    known_executor,
    make_trigger,
    pop_policies,
)
from ..definitions.states import Event
from ..definitions.store import RowJobStore
from ..definitions.stored import StoredJob
from ..errors import DefinitionError, UnknownJobError
from ..models import Job
from ..models.job import JobState

OF_APSCHEDULER = (
    "id",
    "name",
    "executor",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
)
"""What APScheduler takes of a job beside what is called and when; all else is the trigger's."""
OMITTED = {
    "trigger": None,
    "args": None,
    "kwargs": None,
    "id": None,
    "name": None,
    "executor": "default",
}
"""What ``add_job`` takes for what is not given."""


class RowScheduler(BaseScheduler):
    """Validates at the call, writes rows, and lets the rows announce themselves."""

    _recent = RecentClock()
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
    ) -> StoredJob:
        """Add a job, as APScheduler's ``add_job`` does, with the scheduler's own options too.

        Args:
            options: ``timeout`` (seconds; only with ``executor="processes"``), ``warn_after``
                (seconds), ``max_retries``, ``retry_delay`` (seconds), ``on_lost`` ("fail" or
                "retry") and ``sensitive`` (argument names that no page shows).

        Raises:
            ConflictingIdError: the id is taken and ``replace_existing`` is not set.
            FunctionError, TriggerError, SerializationError, TypeError, ValueError: what was given
                cannot become a job; nothing is stored.
        """
        options |= {
            "misfire_grace_time": misfire_grace_time,
            "coalesce": coalesce,
            "max_instances": max_instances,
            "next_run_time": next_run_time,
        }
        job = self._new_job(
            func, trigger, args, kwargs, id=id, name=name, executor=executor, **options
        )
        with self._jobstores_lock:
            if self.state == STATE_STOPPED:
                self._pending_jobs.append((job, jobstore, replace_existing))
            else:
                self._real_add_job(job, jobstore, replace_existing)
        return job

    def add_jobs(self, jobs: Iterable[Mapping[str, Any]]) -> list[StoredJob]:
        """Add many jobs at once, all or none: each as ``add_job`` would, in a few statements.

        Args:
            jobs: the arguments of ``add_job`` for each, by name, without ``jobstore`` and
                ``replace_existing``.

        Raises:
            ConflictingIdError: ids are taken, or given twice; ``job_ids`` has them.
            RuntimeError: this scheduler has not started yet.
            FunctionError, TriggerError, SerializationError, TypeError, ValueError: what was given
                for one of them cannot become a job; the message begins with its place in ``jobs``.
        """
        if self.state == STATE_STOPPED:
            raise RuntimeError("Add many jobs through the client: from scheduler import scheduler")
        store = next(iter(self._row_stores()))
        made = [self._one_of_many(place, job) for place, job in enumerate(jobs)]
        with self._jobstores_lock:
            store.add_jobs(made)
        for job in made:
            job._jobstore_alias = store._alias
            self._dispatch_event(JobEvent(EVENT_JOB_ADDED, job.id, store._alias))
        if made and self.state == STATE_RUNNING:
            self.wakeup()
        return made

    def modify_job(self, job_id: str, jobstore: str | None = None, **changes: Any) -> StoredJob:
        """Modify a job as APScheduler does, also its own options. Only what differs is written.

        Raises:
            JobLookupError: no such job.
            DefinitionError: the stored job cannot be loaded, and this change does not mend it.
            FunctionError, TriggerError, SerializationError, TypeError, ValueError: what was given
                makes no job; nothing is stored.
        """
        if "executor" in changes:
            known_executor(changes["executor"], added=self._executors)
        self._check_timeout(job_id, changes)
        store = self._store_with(job_id, jobstore)
        if store is None:
            with self._near_ids(job_id):
                return super().modify_job(job_id, jobstore, **changes)
        with transaction.atomic(using=store.using):
            locked(job_id, store.using)  # so that nobody changes it between reading and writing
            try:
                return super().modify_job(job_id, store._alias, **changes)
            except DefinitionError:
                return store.mend_job(job_id, changes)

    def reschedule_job(
        self, job_id: str, jobstore: str | None = None, trigger: Any = None, **trigger_args: Any
    ) -> StoredJob:
        """Give the job a new trigger and the next run time that follows from it."""
        new = self._create_trigger(trigger, trigger_args)
        at = self._first_run_time(new, job_id)
        return self.modify_job(job_id, jobstore, trigger=new, next_run_time=at)

    def pause_job(self, job_id: str, jobstore: str | None = None) -> StoredJob | None:
        """Pause the job, also one that cannot be loaded (then the answer is None).

        Raises:
            JobLookupError: no such job.
        """
        store = self._store_with(job_id, jobstore)
        if store is None:
            with self._near_ids(job_id):
                return super().pause_job(job_id, jobstore)
        with transaction.atomic(using=store.using):
            row = changes.locked(job_id, store.using)
            changes.change(row, store.using, **states.after(row.state, Event.PAUSED))
        return self._announced(row, store)

    def resume_job(self, job_id: str, jobstore: str | None = None) -> StoredJob | None:
        """Resume a job that is paused, retired, finished or quarantined.

        It goes on with its next time; one in quarantine keeps the runs that it owes. One whose
        schedule is over is removed. An active one is left alone.

        Raises:
            JobLookupError: no such job.
            DefinitionError: it cannot be loaded.
        """
        store = self._store_with(job_id, jobstore)
        if store is None:
            with self._near_ids(job_id):
                return super().resume_job(job_id, jobstore)
        with transaction.atomic(using=store.using):
            row = changes.locked(job_id, store.using)
            job = stored.to_job(row, self, store._alias)
            owed = row.next_run_time if row.state == JobState.QUARANTINED else None
            at = owed or self._next_after_now(job.trigger)
            columns = states.after(row.state, Event.RESUMED, at, declared=row.declared)
            if not columns:
                return job
            if columns["state"] is states.REMOVED:
                changes.delete(row, store.using)
                return None
            changes.change(row, store.using, **columns)
        return self._announced(row, store)

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove the job; its history stays.

        Raises:
            JobLookupError: no such job.
        """
        with self._near_ids(job_id):
            super().remove_job(job_id, jobstore)

    @contextmanager
    def _near_ids(self, job_id: str) -> Iterator[None]:
        """Let APScheduler's error about an unknown id name the ids that may have been meant."""
        try:
            yield
        except UnknownJobError:
            raise
        except JobLookupError:
            if self.state == STATE_STOPPED:
                raise
            raise unknown_job(job_id, self._using()) from None

    def _check_timeout(self, job_id: str, changes: dict[str, Any]) -> None:
        """Check the pair of timeout and executor, either of which may break it.

        Of a job that is still pending only the changes are known.
        """
        pair = ("timeout", "executor")
        if changes.keys().isdisjoint(pair):
            return
        rows = Job.objects.using(conf().DATABASE).filter(id=job_id)
        after = {"timeout": None, "executor": ""} | (rows.values(*pair).first() or {}) | changes
        check_timeout(after["timeout"], after["executor"])

    def _one_of_many(self, place: int, arguments: Mapping[str, Any]) -> StoredJob:
        try:
            return self._new_job(**{**OMITTED, **arguments})
        except Exception as error:
            if error.args and isinstance(error.args[0], str):
                error.args = (f"jobs[{place}]: {error.args[0]}", *error.args[1:])
            raise

    def _new_job(
        self, func: Any, trigger: Any, args: Any, kwargs: Any, **options: Any
    ) -> StoredJob:
        known_executor(options["executor"], added=self._executors)
        check_timeout(options.get("timeout"), options["executor"])
        own = {name: options.pop(name) for name in OF_APSCHEDULER if name in options}
        options_of_job = own | pop_policies(options)
        made = self._create_trigger(trigger, options)
        said = {name: value for name, value in options_of_job.items() if value is not undefined}
        check_limits(said)
        if isinstance(func, str):
            references.ref(func)
        args = tuple(args) if args is not None else ()
        kwargs = dict(kwargs) if kwargs is not None else {}
        explicit = "next_run_time" in said
        if self.state != STATE_STOPPED:  # one that is pending is filled in when it is started
            said = self._filled(said, made)
        try:
            job = StoredJob(self, func=func, trigger=made, args=args, kwargs=kwargs, **said)
        except LookupError:
            if isinstance(func, str):
                references.resolve(func)  # raises, and says why
            raise
        job._explicit = explicit
        return job

    def _filled(self, said: dict[str, Any], trigger: BaseTrigger) -> dict[str, Any]:
        """Return what is said about a new job, with what was not said."""
        if "next_run_time" in said:
            return self._defaults | said
        at = self._first_run_time(trigger, said.get("id"))
        return self._defaults | said | {"next_run_time": at}

    def _real_add_job(self, job: Any, jobstore_alias: str, replace_existing: bool) -> None:
        self._fill(job)
        super()._real_add_job(job, jobstore_alias, replace_existing)

    def _fill(self, job: Any) -> None:
        """Give a job that was pending what was not said about it."""
        filled = {
            name: value
            for name, value in self._defaults.items()
            if not hasattr(job, name) and name not in job._policies
        }
        if not hasattr(job, "next_run_time"):
            filled["next_run_time"] = self._first_run_time(job.trigger, job.id)
        job._modify(**filled)

    def _configure(self, config: dict[str, Any]) -> None:
        defaults = POLICY_DEFAULTS | {"misfire_grace_time": None} | conf().JOB_DEFAULTS
        defaults |= config.get("job_defaults") or {}
        super()._configure(
            {"timezone": triggers.default_zone(), **config, "job_defaults": defaults}
        )
        own = {name: defaults[name] for name in POLICY_NAMES}
        self._defaults = {**self._job_defaults, **own}

    def _create_trigger(self, trigger: Any, trigger_args: dict[str, Any]) -> BaseTrigger:
        is_named = isinstance(trigger, str) and trigger not in triggers.KINDS
        if is_named and trigger in self._own_triggers():
            return super()._create_trigger(trigger, trigger_args)
        return make_trigger(trigger, trigger_args, self.timezone)

    def _own_triggers(self) -> set[str]:
        """Return kinds that other packages add: no database holds them, a store in memory can."""
        return (self._trigger_plugins.keys() | self._trigger_classes.keys()) - triggers.KINDS.keys()

    def _first_run_time(self, trigger: BaseTrigger, job_id: str | None) -> datetime:
        now = self._recent.now(self._using()).astimezone(self.timezone)
        at = trigger.get_next_fire_time(None, now)
        if at is None:
            of = f" of job {job_id!r}" if job_id else ""
            raise ValueError(f"The trigger{of} never fires: {trigger}")
        return at

    def _next_after_now(self, trigger: BaseTrigger) -> datetime | None:
        return trigger.get_next_fire_time(None, self._now())

    def _now(self) -> datetime:
        return db_now(self._using()).astimezone(self.timezone)

    def _using(self) -> str:
        """Return the alias of the database whose clock counts: the one with the jobs."""
        stores = self._row_stores()
        return stores[0].using if stores else conf().DATABASE

    def _row_stores(self) -> list[RowJobStore]:
        return [store for store in self._jobstores.values() if isinstance(store, RowJobStore)]

    def _store_with(self, job_id: str, alias: str | None) -> RowJobStore | None:
        if self.state == STATE_STOPPED:
            return None
        for name, store in self._jobstores.items():
            if alias not in (None, name) or not isinstance(store, RowJobStore):
                continue
            if Job.objects.using(store.using).filter(pk=job_id).exists():
                return store
        return None

    def _announced(self, row: Job, store: RowJobStore) -> StoredJob | None:
        self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, row.id, store._alias))
        try:
            return stored.to_job(row, self, store._alias)
        except DefinitionError:
            return None
