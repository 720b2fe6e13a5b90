"""Executors that fail: one run's trouble, with a reason, and never a job that is stuck."""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from scheduler import scheduler
from scheduler.engine.executors import processes
from scheduler.engine.executors.threads import ThreadExecutor
from scheduler.engine.recorder import SHUTDOWN_ALLOWANCE
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, runs


def _is_running(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(job: str):
    return lambda: [row for row in runs(job_id=job) if row.status not in ("queued", "running")]


def test_a_worker_that_is_killed_loses_its_run_and_the_next_one_works(a):
    add(bodies.die, id="dies", executor="processes")
    (lost,) = a.turn_until(ended("dies"))
    assert (lost.status, "its worker process" in lost.reason) == (Status.LOST, True)
    add(bodies.note, id="next", executor="processes")
    (done,) = a.turn_until(ended("next"))
    assert done.status == Status.SUCCEEDED, done.exception or done.reason


def test_a_wall_clock_that_is_set_forward_ends_no_body_by_its_timeout(a, monkeypatch, tmp_path):
    started, go = tmp_path / "started", tmp_path / "go"
    add(bodies.wait_for_file, args=[str(started), str(go)], executor="processes", timeout=600)
    looks = threading.Semaphore(0)
    receive = processes.Worker.receive

    def look(worker, timeout: float):
        looks.release()
        return receive(worker, min(timeout, 0.01))

    monkeypatch.setattr(processes.Worker, "receive", look)
    a.turn_until(started.exists)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    for _ in range(5):
        assert looks.acquire(timeout=30)
    go.touch()
    (done,) = a.turn_until(ended("job"))
    assert (done.status, done.reason) == (Status.SUCCEEDED, "")


def test_a_timeout_ends_the_body(a):
    add(bodies.linger, executor="processes", timeout=0.2)
    (late,) = a.turn_until(ended("job"))
    assert (late.status, "timeout of 0.2 s" in late.reason) == (Status.TIMED_OUT, True)


def test_a_program_that_a_body_starts_can_be_ended(a):
    """A worker ignores SIGTERM, and what it starts must not inherit that."""
    add(bodies.end_a_program, executor="processes")
    (done,) = a.turn_until(ended("job"))
    assert done.return_value == str(-signal.SIGTERM), done.exception


def test_a_body_may_hand_its_output_stream_to_a_program(a):
    """The tee is no stream of its own: what it does not do is done by the one behind it."""
    add(bodies.hand_over_stdout, executor="processes")
    (done,) = a.turn_until(ended("job"))
    assert done.return_value == "[1,true]", done.exception
    assert done.log == "a line\n"


def test_what_outlasts_the_drain_is_ended_before_its_retry_can_start(a, monkeypatch, tmp_path):
    """The old leader gives up a body in a process, and a new one would start it once more."""
    started, executor = tmp_path / "started", a.scheduler.loop.dispatcher.executors["processes"]
    add(bodies.wait_for_file, args=[str(started), "never"], executor="processes",
        on_lost="retry", max_retries=1)  # fmt: skip
    a.turn_until(started.exists)
    workers = [thread._worker._process for thread in executor._threads]
    recorder, alive = a.scheduler.loop.recorder, []
    give_up = recorder.give_up

    def look(reason: str) -> int:
        alive.extend(worker for worker in workers if _is_running(worker.pid))
        return give_up(reason)

    monkeypatch.setattr(recorder, "give_up", look)
    a.do(lambda: a.scheduler.loop.drain(lambda: 0.0))
    assert alive == []
    assert [row.status for row in runs()] == [Status.LOST, Status.QUEUED]
    assert "its scheduler stopped" in runs()[0].reason


def test_the_retry_of_a_thread_that_outlasts_the_drain_waits_for_its_process_to_end(a):
    add(bodies.wait, on_lost="retry", max_retries=1)
    a.turn_until(lambda: bodies.calls)
    a.do(lambda: a.scheduler.loop.drain(lambda: 0.0))
    lost, retry = runs()
    assert retry.due_at - lost.finished_at >= SHUTDOWN_ALLOWANCE


def test_a_run_that_is_cancelled_before_its_thread_takes_it_has_an_end(a, monkeypatch):
    executor, waiting = a.scheduler.loop.dispatcher.executors["default"], []
    monkeypatch.setattr(executor, "_put", waiting.append)
    monkeypatch.setattr("scheduler.engine.loop.MAX_AHEAD_WAIT", timedelta(hours=1))  # it may wait
    add()
    a.turn_until(lambda: waiting)
    scheduler.cancel(runs()[0].id)
    a.turn_until(lambda: executor._runs[runs()[0].id].cancel_requested)
    waiting[0]()
    (row,) = a.turn_until(ended("job"))
    assert (row.status, row.finished_at is not None) == (Status.CANCELLED, True)
    assert bodies.calls == []


@pytest.mark.parametrize("alias", ["default", "processes"])
def test_a_run_that_its_executor_refuses_fails_with_the_reason(a, monkeypatch, alias):
    executor = a.scheduler.loop.dispatcher.executors[alias]

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    target, name = (executor, "_put") if alias == "default" else (processes, "Worker")
    monkeypatch.setattr(target, name, refuse)
    add(id="refused", executor=alias)
    (failed,) = a.turn_until(ended("refused"))
    assert failed.status == Status.FAILED
    assert "can't start new thread" in failed.reason
    monkeypatch.undo()
    add(id="next", executor=alias)
    (done,) = a.turn_until(ended("next"))
    assert done.status == Status.SUCCEEDED


def test_a_body_that_ends_while_the_drain_records_is_recorded_as_it_ended(a, monkeypatch):
    """Between its last two steps: the results until now are written, and the rest is given up."""
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    loop = a.scheduler.loop
    record = loop.recorder.record

    def record_and_let_it_end() -> bool:
        found = record()
        if not bodies.gate.is_set():
            bodies.gate.set()
            while not loop.dispatcher._results:
                loop.wakeup.wait(30)
        return found

    monkeypatch.setattr(loop.recorder, "record", record_and_let_it_end)
    a.do(lambda: loop._leave(0.0))
    assert [row.status for row in runs()] == [Status.SUCCEEDED]


def test_a_pool_that_is_named_by_its_plugin_is_replaced_as_well(a):
    a.do(lambda: a.scheduler.add_executor("threadpool", "reports", max_workers=4))
    executor = a.scheduler._executors["reports"]
    assert (type(executor), executor.slots) == (ThreadExecutor, 4)


def test_an_executor_that_is_added_after_the_start_runs_jobs(a):
    a.turn()
    a.do(lambda: a.scheduler.add_executor("threadpool", "reports", max_workers=1))
    a.do(lambda: a.scheduler.add_job(bodies.note, id="report", executor="reports"))
    (done,) = a.turn_until(ended("report"))
    assert done.status == Status.SUCCEEDED, done.exception or done.reason
