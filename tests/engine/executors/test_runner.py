"""What surrounds a body."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connections
from scheduler import masking, scheduler
from scheduler.db.connection import close_old_connections
from scheduler.engine.executors.capture import Capture
from scheduler.engine.executors.runner import Result, Run, run
from scheduler.engine.executors.surroundings import SharedHome
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


def test_secrets_are_only_worked_out_where_a_text_is_cut(monkeypatch):
    """They cost more than a short job function; no cut may go through one."""
    asked: list[int] = []
    monkeypatch.setattr(masking, "secret_texts", lambda row: asked.append(row.id) or {"secret"})
    capture = Capture(10, masking.SecretTexts(taken()))
    capture.write("short")
    assert (capture.text(), asked) == ("short", [])
    capture.write("secret" + "." * 10)
    assert capture.text().startswith("short\n...")
    assert asked == [1]


def test_the_end_of_a_run_hands_the_interpreter_to_nobody(monkeypatch):
    """``os.getcwd`` does, and each run that ends would wait behind all threads, with the lock."""
    monkeypatch.setattr(os, "getcwd", lambda: pytest.fail("lets other threads go on"))
    with SharedHome():
        pass


def test_a_working_directory_that_was_removed_is_left(monkeypatch, tmp_path, caplog):
    home = SharedHome()
    gone = tmp_path / "gone"
    gone.mkdir()
    with home:
        monkeypatch.chdir(gone)
        gone.rmdir()
    assert Path.cwd() == Path(home.home.directory)
    assert "A job left the working directory ''" in caplog.text
