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

from . import declarations, functions, serialization
from .conf import conf
from .engine.byhand import ByHand
from .engine.clock import DbNow, db_now
from .given import EXECUTORS
from .models import Execution, Job
from .models.job import JobState

MANY = 1000
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
        return DbNow.frozen or db_now(conf().DATABASE)


@contextmanager
def frozen_clock(at: datetime | None = None) -> Iterator[Clock]:
    """A clock for the length of a ``with`` block: at ``at``, or at the moment it begins."""
    before, clock = DbNow.frozen, Clock()
    try:
        clock.set(at or clock.now())
        yield clock
    finally:
        DbNow.frozen = before


@pytest.fixture
def scheduler_clock(db: None) -> Iterator[Clock]:
    """``frozen_clock`` for the length of a test."""
    with frozen_clock() as clock:
        yield clock


def run_due() -> list[Execution]:
    """Run all that is due at this moment, as a scheduler would, and return how each run ended.

    Runs that were asked for, and retries without delay, are among it; slots that are missed or
    skipped come with their reason. Declared jobs come in with ``sync_declared()``.

    Raises:
        RuntimeError: it never ends, or another scheduler leads on this database.
    """
    with _by_hand() as engine:
        return _rows(_turns(engine))


def drain() -> list[Execution]:
    """Run all that is due and then what is left in the queue: the clock moves on to each retry."""
    with frozen_clock() as clock, _by_hand() as engine:
        ended = _turns(engine)
        while queued := engine.next_queued():
            clock.set(max(clock.now(), queued.due_at))
            more = _turns(engine)
            if not more:
                raise RuntimeError(f"Execution {queued.pk} of {queued.job_id!r} does not start")
            ended += more
        return _rows(ended)


def sync_declared() -> Any:
    """What a scheduler does when it becomes the leader: bring in what ``@job`` declares."""
    return declarations.sync(conf().DATABASE)


def assert_scheduled(
    wanted: str | Callable[..., Any],
    *,
    at: datetime | None = None,
    within: timedelta = timedelta(0),
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    state: str = JobState.ACTIVE,
) -> Job:
    """The one job that has this id, or calls this function, and looks like that.

    Args:
        at: when it runs next, give or take ``within``.

    Raises:
        AssertionError: there is none, or more than one; it says what there is.
    """
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
    """No job has this id or calls this function.

    Raises:
        AssertionError: one does.
    """
    found = [job for job in Job.objects.using(conf().DATABASE).all() if _is(job, wanted)]
    if found:
        raise AssertionError("Scheduled:\n" + "\n".join(_told(job) for job in found))


def _by_hand() -> ByHand:
    using = conf().DATABASE
    jobs = Job.objects.using(using).values_list("executor", flat=True)
    queued = Execution.objects.using(using).queued().values_list("executor", flat=True)
    return ByHand(using, {*EXECUTORS, *jobs, *queued})


def _turns(engine: ByHand) -> list[int]:
    ended: list[int] = []
    for _ in range(MANY):
        turned = engine.turn()
        if not turned:
            return ended
        ended += turned
    last = Execution.objects.using(engine.using).get(pk=ended[-1])
    raise RuntimeError(f"{MANY} turns at one moment, the last for job {last.job_id!r}")


def _rows(ids: list[int]) -> list[Execution]:
    rows = Execution.objects.using(conf().DATABASE).in_bulk(ids)
    return [rows[id] for id in ids]


def _is(job: Job, wanted: str | Callable[..., Any]) -> bool:
    return job.id == wanted if isinstance(wanted, str) else job.func == functions.ref(wanted)


def _told(job: Job) -> str:
    call = f"{job.func} args={job.args} kwargs={job.kwargs}"
    return f"  {job.id}: {job.state}, next {job.next_run_time}, {call}"
