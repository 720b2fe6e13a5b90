"""Executors that fail: one run's trouble, with a reason, and never a job that is stuck."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pebble.pool.process
import pytest
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, runs


def ended(job: str):
    return lambda: [row for row in runs(job_id=job) if row.status not in ("queued", "running")]


def test_a_worker_that_is_killed_loses_its_run_and_the_next_one_works(a):
    add(bodies.die, id="dies", executor="processes")
    (lost,) = a.turn_until(ended("dies"))
    assert (lost.status, "its worker process" in lost.reason) == (Status.LOST, True)
    add(bodies.note, id="next", executor="processes")
    (done,) = a.turn_until(ended("next"))
    assert done.status == Status.SUCCEEDED, done.exception or done.reason


def test_a_pool_whose_own_thread_died_loses_its_runs_and_is_replaced(a, monkeypatch):
    executor = a.scheduler.loop.dispatcher.executors["processes"]
    add(bodies.linger, id="lingers", executor="processes")
    a.turn_until(lambda: executor._pool is not None and executor._pool._loops)
    manager = executor._pool._pool_manager_loop

    def fail(seconds: float) -> None:
        raise OSError("no memory for this thread")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(pebble.pool.process, "time", SimpleNamespace(sleep=fail, time=time.time))
    manager.join(10)
    monkeypatch.undo()
    a.scheduler.loop._beat_at = 0.0
    (lost,) = a.turn_until(ended("lingers"))
    assert lost.status == Status.LOST
    add(bodies.note, id="next", executor="processes")
    (done,) = a.turn_until(ended("next"))
    assert done.status == Status.SUCCEEDED, done.exception or done.reason


@pytest.mark.parametrize("alias", ["default", "processes"])
def test_a_run_that_its_executor_refuses_fails_with_the_reason(a, monkeypatch, alias):
    executor = a.scheduler.loop.dispatcher.executors[alias]

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(executor, "_put" if alias == "default" else "_schedule", refuse)
    add(id="refused", executor=alias)
    (failed,) = a.turn_until(ended("refused"))
    assert failed.status == Status.FAILED
    assert "can't start new thread" in failed.reason
    monkeypatch.undo()
    add(id="next", executor=alias)
    (done,) = a.turn_until(ended("next"))
    assert done.status == Status.SUCCEEDED
