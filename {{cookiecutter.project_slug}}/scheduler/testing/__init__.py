"""For the tests of projects: a clock that can be set, and what is due run on the spot.

``from scheduler.testing import assert_scheduled, drain, run_due, scheduler_clock`` in a
``conftest.py`` or a test. Works in ``TestCase`` and with ``pytest.mark.django_db``, inside the
test's transaction: bodies run in the test's own thread, on its connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from .. import serialization
from ..conf import conf
from ..db.clock import DbNow, db_now
from ..definitions import declarations, references
from ..definitions.changes import unknown_job
from ..definitions.options import EXECUTORS
from ..engine.maintenance.sync import sync
from ..models import Execution, Job
from ..models.job import JobState
from .engine import InlineEngine

MAX_TURNS = 1000
"""More turns than this at one moment are taken for a job that never comes to an end."""


class Clock:
    """The scheduler's time, which stands still. The bodies' own ``datetime.now()`` does not."""

    def set(self, at: datetime) -> datetime:
        """Make it ``at``; naive times are in the current zone."""
        aware = timezone.make_aware(at) if timezone.is_naive(at) else at
        DbNow.frozen = aware.astimezone(UTC)
        return DbNow.frozen

    def tick(self, step: timedelta | None = None, **units: float) -> datetime:
        """Move it on by ``step``, or by ``minutes=5``."""
        return self.set(self.now() + (step or timedelta(**units)))

    def now(self) -> datetime:
        """Return the scheduler's time."""
        return DbNow.frozen or db_now(conf().DATABASE)


@contextmanager
def frozen_clock(at: datetime | None = None) -> Iterator[Clock]:
    """Stop the scheduler's clock for a ``with`` block: at ``at``, or at the moment it begins."""
    before, clock = DbNow.frozen, Clock()
    try:
        clock.set(at or clock.now())
        yield clock
    finally:
        DbNow.frozen = before


@pytest.fixture
def scheduler_clock(db: None) -> Iterator[Clock]:
    """Stop the scheduler's clock for the length of a test, as ``frozen_clock`` does."""
    with frozen_clock() as clock:
        yield clock


def run_due(job_id: str | None = None) -> list[Execution]:
    """Run all that is due at this moment, as a scheduler would, and return how each run ended.

    Runs that were asked for, and retries without delay, are among it; slots that are missed or
    skipped come with their reason. Declared jobs come in with ``sync_declared()``.

    Args:
        job_id: run what is due of this job alone; all else stays due.

    Raises:
        UnknownJobError: no job has that id, and no run in the queue; it names near ids.
        RuntimeError: it never ends, or another scheduler leads on this database.
    """
    if job_id is not None:
        _check_known(job_id)
    with _engine(job_id) as engine:
        return _rows(_turns(engine))


def drain(within: timedelta | None = None) -> list[Execution]:
    """Run all that is due and then what is left in the queue: the clock moves on to each retry.

    Args:
        within: how far the clock may move on. None: to each of ``MAX_TURNS`` runs.

    Raises:
        RuntimeError: a run is queued for later than that, or for after so many others.
    """
    with frozen_clock() as clock, _engine() as engine:
        ended, began = _turns(engine), clock.now()
        for _ in range(MAX_TURNS):
            if not (queued := engine.next_queued()):
                return _rows(ended)
            _move_on(clock, queued, None if within is None else began + within)
            more = _turns(engine)
            if not more:
                raise RuntimeError(f"Execution {queued.pk} of {queued.job_id!r} does not start")
            ended += more
        raise RuntimeError(f"{MAX_TURNS} times later, {_last(engine, ended)} is not the last run")


def sync_declared() -> Any:
    """Sync the jobs that ``@job`` declares, as a scheduler does when it becomes the leader."""
    return sync(conf().DATABASE)


def assert_scheduled(
    wanted: str | Callable[..., Any],
    *,
    at: datetime | None = None,
    within: timedelta = timedelta(0),
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    state: str = JobState.ACTIVE,
) -> Job:
    """Assert that one job has this id, or calls this function, and looks as described.

    Args:
        at: when it runs next, give or take ``within``.

    Returns:
        The job's row.

    Raises:
        AssertionError: there is none, or more than one; it says what there is.
    """
    __tracebackhide__ = True  # a failure is shown at the line that asserts
    jobs = list(Job.objects.using(conf().DATABASE).all())
    found = [job for job in jobs if _is(job, wanted) and job.state == state]
    if at is not None:
        found = [
            job for job in found if job.next_run_time and abs(job.next_run_time - at) <= within
        ]
    if args is not None:
        found = [job for job in found if serialization.loads_args(job.args) == tuple(args)]
    if kwargs is not None:
        found = [job for job in found if serialization.loads_kwargs(job.kwargs) == dict(kwargs)]
    if len(found) != 1:
        there = "\n".join(_told(job) for job in jobs) or "  nothing"
        raise AssertionError(f"{len(found)} jobs are as wanted, not 1. Scheduled:\n{there}")
    return found[0]


def assert_not_scheduled(wanted: str | Callable[..., Any]) -> None:
    """Assert that no job has this id or calls this function.

    Raises:
        AssertionError: one does.
    """
    __tracebackhide__ = True  # a failure is shown at the line that asserts
    found = [job for job in Job.objects.using(conf().DATABASE).all() if _is(job, wanted)]
    if found:
        raise AssertionError("Scheduled:\n" + "\n".join(_told(job) for job in found))


def _engine(job_id: str | None = None) -> InlineEngine:
    using = conf().DATABASE
    jobs = Job.objects.using(using).values_list("executor", flat=True)
    queued = Execution.objects.using(using).queued().values_list("executor", flat=True)
    return InlineEngine(using, {*EXECUTORS, *jobs, *queued}, job_id)


def _check_known(job_id: str) -> None:
    """Pass a job that is there, and one that went with its last slot while its run is queued."""
    using = conf().DATABASE
    queued = Execution.objects.using(using).queued()
    if not (
        Job.objects.using(using).filter(pk=job_id).exists() or queued.filter(job_id=job_id).exists()
    ):
        error = unknown_job(job_id, using)
        declarations.autodiscover()
        if job_id in declarations.registered():
            error.add_note("It is declared in code: sync_declared() brings it in.")
        raise error


def _turns(engine: InlineEngine) -> list[int]:
    ended: list[int] = []
    for _ in range(MAX_TURNS):
        turned = engine.turn()
        if not turned:
            return ended
        ended += turned
    raise RuntimeError(f"{MAX_TURNS} turns at one moment, the last for {_last(engine, ended)}")


def _last(engine: InlineEngine, ended: list[int]) -> str:
    last = Execution.objects.using(engine.using).get(pk=ended[-1])
    return f"job {last.job_id!r}"


def _move_on(clock: Clock, queued: Execution, until: datetime | None) -> None:
    if until is not None and queued.due_at > until:
        raise RuntimeError(
            f"Execution {queued.pk} of {queued.job_id!r} is queued for {queued.due_at}, and the "
            f"clock was to move on to {until} at most"
        )
    clock.set(max(clock.now(), queued.due_at))


def _rows(ids: list[int]) -> list[Execution]:
    rows = Execution.objects.using(conf().DATABASE).in_bulk(ids)
    return [rows[id] for id in ids]


def _is(job: Job, wanted: str | Callable[..., Any]) -> bool:
    return job.id == wanted if isinstance(wanted, str) else job.func == references.ref(wanted)


def _told(job: Job) -> str:
    call = f"{job.func} args={job.args} kwargs={job.kwargs}"
    return f"  {job.id}: {job.state}, next {job.next_run_time}, {call}"
