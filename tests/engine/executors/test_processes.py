"""Runs in worker processes: what they start ends with them, what they print is kept, and what
they change meets no later run."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from scheduler.conf import conf
from scheduler.db.clock import monotonic
from scheduler.engine.executors.processes import ProcessExecutor
from scheduler.engine.executors.runner import Result, Run
from scheduler.engine.executors.tree import MAX_ENDED_CHILDREN
from scheduler.models.execution import Status

from . import process_bodies

BODIES = "tests.engine.executors.process_bodies"
TIME_LIMIT = 120.0


class OneProcess:
    def __init__(self) -> None:
        self.results: SimpleQueue[Result] = SimpleQueue()
        self.executor = ProcessExecutor(slots=1)
        self.executor.connect(self.results.put, lambda term: True, lambda: datetime.now(UTC))
        self.executor.keep_alive(monotonic() + 600)
        self._id = 0

    def begin(self, name: str, *args: Any, timeout: float | None = None) -> int:
        """Submit a run of the function, and return its id."""
        self._id += 1
        self.executor.submit(
            Run(
                id=self._id,
                job_id="job",
                scheduled_run_time=None,
                attempt=1,
                term=1,
                func=f"{BODIES}:{name}",
                args=json.dumps(args),
                timeout=timeout,
            )
        )
        return self._id

    def __call__(self, name: str, *args: Any, timeout: float | None = None) -> Result:
        self.begin(name, *args, timeout=timeout)
        return self.results.get(timeout=TIME_LIMIT)


@pytest.fixture
def call() -> Iterator[OneProcess]:
    process = OneProcess()
    yield process
    process.executor.end_bodies()
    process.executor.shutdown()


def eventually(met: Callable[[], Any]) -> Any:
    pause = threading.Event()
    end = monotonic() + TIME_LIMIT
    while not (found := met()):
        assert monotonic() < end
        pause.wait(0.02)
    return found


def pids(folder: Path) -> list[int]:
    """The processes that the function started, once all of them have said who they are."""
    eventually(lambda: len(list(folder.iterdir())) == 3)
    return [int(path.name) for path in folder.iterdir()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(folder: Path) -> bool:
    return not any(is_running(pid) for pid in pids(folder))


@pytest.mark.parametrize("how", ["timeout", "cancel", "drain"])
def test_the_end_of_a_run_ends_all_that_it_started_and_keeps_its_output(call, tmp_path, how):
    id = call.begin("start_programs", str(tmp_path), timeout=1 if how == "timeout" else None)
    started = pids(tmp_path)
    assert all(map(is_running, started))
    eventually(lambda: how == "timeout" or "started" in call.executor.output(id))
    if how == "drain":
        assert "started" in call.executor.output(id)
        call.executor.end_bodies()
    else:
        if how == "cancel":
            call.executor.cancel(id)
        result = call.results.get(timeout=TIME_LIMIT)
        assert result.status is (Status.TIMED_OUT if how == "timeout" else Status.CANCELLED)
        assert result.log == "started\n"
    eventually(lambda: all_gone(tmp_path))


def test_what_a_run_started_ends_with_its_process_when_that_dies_by_itself(call, tmp_path):
    result = call("start_programs_and_die", str(tmp_path))
    assert (result.status, result.reason) == (
        Status.LOST,
        f"its worker process died (exit code {-signal.SIGSEGV})",
    )
    assert result.log == "started\n"
    eventually(lambda: all_gone(tmp_path))


@pytest.mark.parametrize("how", ["timeout", "cancel", "drain"])
def test_daemons_end_with_their_run_as_well(call, tmp_path, how):
    id = call.begin("start_daemons", str(tmp_path), True, timeout=3 if how == "timeout" else None)
    pids(tmp_path)
    if how == "drain":
        eventually(lambda: "started" in call.executor.output(id))
        call.executor.end_bodies()
    else:
        if how == "cancel":
            call.executor.cancel(id)
        assert "ended" in call.results.get(timeout=TIME_LIMIT).reason
    eventually(lambda: all_gone(tmp_path))


def test_what_a_run_left_behind_ends_with_the_scheduler(call, tmp_path):
    assert call("start_daemons", str(tmp_path), False).status is Status.SUCCEEDED
    call.executor.shutdown()
    eventually(lambda: all_gone(tmp_path))


def test_a_worker_full_of_ended_children_is_replaced(call):
    first = call("process").return_value
    call("leave_ended_children", 10)
    assert call("process").return_value == first
    call("leave_ended_children", MAX_ENDED_CHILDREN + 1)
    assert call("process").return_value != first


def test_a_flood_of_output_is_cut_whether_the_run_ends_or_is_ended(call):
    ended = call("flood", False)
    id = call.begin("flood", True)
    eventually(lambda: call.executor.output(id).endswith("the last line\n"))
    call.executor.cancel(id)
    killed = call.results.get(timeout=TIME_LIMIT)
    assert (ended.status, killed.status) == (Status.SUCCEEDED, Status.CANCELLED)
    for result in (ended, killed):
        assert len(result.log) < conf().MAX_LOG_CHARS + 200
        assert result.log.startswith("line 0\n")
        assert "characters cut" in result.log
        assert result.log.endswith("the last line\n")


@pytest.mark.parametrize(
    "change",
    ["folder", "umask", "environment", "locale", "signal_handler", "root_logger",
     "thread", "daemon_thread", "daemon_child", *process_bodies.CHANGES],
)  # fmt: skip
def test_what_a_run_changes_meets_no_later_run(call, change):
    before = call("surroundings").return_value
    assert call("change", change).status is Status.SUCCEEDED
    assert call("surroundings").return_value == before


def test_a_worker_that_nothing_changed_serves_the_next_run(call):
    assert call("process").return_value == call("process").return_value


def test_a_folder_that_is_gone_keeps_no_process_from_starting(call, tmp_path, monkeypatch):
    here, gone = os.getcwd(), tmp_path / "gone"
    gone.mkdir()
    try:
        os.chdir(gone)
        gone.rmdir()
        result = call("process")
    finally:
        os.chdir(here)
    assert result.status is Status.SUCCEEDED, result.reason


@pytest.mark.parametrize("end", ["terminate_process", "terminate_pool", "kill_fork"])
def test_children_of_a_run_can_be_ended_by_it(call, end):
    assert call(end, timeout=60).return_value == str(-signal.SIGTERM)


def test_a_cancel_that_comes_before_the_process_is_ready_is_a_cancel(call):
    id = call.begin("process")
    call.executor.cancel(id)
    assert call.results.get(timeout=TIME_LIMIT).status is Status.CANCELLED
    assert call("process").status is Status.SUCCEEDED
