"""What surrounds a body."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connections
from scheduler import scheduler
from scheduler.db.connection import close_old_connections
from scheduler.engine.executors.runner import Result, Run, run
from scheduler.engine.executors.threads import ThreadExecutor
from scheduler.models.execution import Status

from tests import bodies


def taken(func: str = "tests.bodies:noop", id: int = 1) -> Run:
    return Run(id=id, job_id="job", scheduled_run_time=None, attempt=1, term=1, func=func)


@pytest.mark.django_db
def test_a_coroutine_sees_what_its_callers_transaction_wrote():
    scheduler.add_job(bodies.noop, "interval", hours=1)
    result = run(taken("tests.proof.conformance.bodies:count_jobs"), lambda: datetime.now(UTC))
    assert (result.return_value, result.exception) == ("1", "")


def test_a_connection_that_cannot_even_be_closed_fails_no_body(monkeypatch):
    def broken() -> None:
        raise ConnectionResetError

    wrapper = SimpleNamespace(in_atomic_block=False, close_if_unusable_or_obsolete=broken)
    monkeypatch.setattr(connections, "all", lambda initialized_only: [wrapper])
    close_old_connections()


def test_a_cancel_reaches_a_run_that_was_taken_back_and_started_again():
    """Under the same id: the first of them still stands in the queue of the threads."""
    executor, ended = ThreadExecutor(slots=1), dict[int, Result]()
    work: list[object] = []
    executor.connect(
        lambda result: ended.__setitem__(result.id, result),
        lambda term: True,
        lambda: datetime.now(UTC),
    )
    executor._put = work.append  # type: ignore[method-assign]
    executor.submit(taken())
    assert executor.take_back(None) == 1
    executor.submit(taken())
    executor.cancel(1)
    for step in work:
        step()  # type: ignore[operator]
    assert ended[1].status is Status.CANCELLED
