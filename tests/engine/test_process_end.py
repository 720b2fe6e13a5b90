"""A real scheduler process whose jobs start children and threads, or end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from scheduler import scheduler
from scheduler.models import Execution, Job
from scheduler.models.job import JobState

from tests.engine import process_bodies as bodies
from tests.processes import environment, eventually
from tests.settings import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

TIME_LIMIT = 120
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a scheduler process; what is left of it is killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        log = (tmp_path / "scheduler.log").open("ab")
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "django", "runapscheduler"],
                env=environment() | {"APSCHEDULER_DRAIN_TIMEOUT": "2"},
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(TIME_LIMIT)
    for path in tmp_path.glob("*.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(path.read_text()), signal.SIGKILL)


def once(func: Callable[..., Any], *args: Any, **options: Any) -> None:
    scheduler.add_job(func, "date", args=args, id=func.__name__, **options)


def ended(job: Callable[..., Any]) -> Execution | None:
    return Execution.objects.finished().filter(job_id=job.__name__).first()


def value(start: Start, func: Callable[..., Any], *args: Any) -> str:
    start()
    once(func, *args)
    row = eventually(lambda: ended(func), TIME_LIMIT)
    assert row.status == "succeeded", row.exception
    return row.return_value


def test_a_child_of_a_thread_can_be_terminated(start, tmp_path):
    assert value(start, bodies.terminate_a_process, str(tmp_path / "child.pid")) == "-15"


def test_a_fork_holds_no_socket_of_the_scheduler(start):
    """One that is opened at the moment of a fork may slip through: not in run after run."""
    start()
    scheduler.add_job(bodies.sessions_of_a_fork, "interval", seconds=0.2, id="forks")
    rows = Execution.objects.filter(job_id="forks", status="succeeded", return_value="[]")
    eventually(lambda: rows.count() >= 5, TIME_LIMIT)


def test_a_fork_uses_the_orm_on_a_connection_of_its_own(start, tmp_path):
    assert value(start, bodies.use_the_orm_in_a_fork, str(tmp_path / "count")) == "0"
    assert int((tmp_path / "count").read_text()) >= 0


@pytest.mark.parametrize(
    "leave",
    [bodies.leave_a_daemon_child, bodies.leave_a_child,
     bodies.leave_a_child_that_ignores_sigterm, bodies.leave_a_thread],
)  # fmt: skip
def test_a_stop_waits_for_nothing_that_a_job_left_behind(start, tmp_path, leave):
    process = start()
    once(leave, str(tmp_path / "left.pid"))
    eventually(lambda: ended(leave), TIME_LIMIT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIME_LIMIT) == 0
    assert "does not wait for" in (tmp_path / "scheduler.log").read_text()
    left = Path("/proc", (tmp_path / "left.pid").read_text(), "cmdline")
    eventually(lambda: not left.exists() or not left.read_bytes(), TIME_LIMIT)


def test_a_stop_does_not_wait_for_an_exit_function_that_a_job_registered(start, tmp_path):
    process = start()
    once(bodies.leave_an_exit_function, str(tmp_path / "left"))
    eventually(lambda: ended(bodies.leave_an_exit_function), TIME_LIMIT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIME_LIMIT) == 0


def test_an_alarm_that_a_job_sets_ends_no_scheduler(start, tmp_path):
    process = start()
    once(bodies.set_an_alarm)
    row = eventually(lambda: ended(bodies.set_an_alarm), TIME_LIMIT)
    assert (row.status, process.poll()) == ("succeeded", None)
    log = tmp_path / "scheduler.log"
    eventually(lambda: "SIGALRM of a timer that a job has set" in log.read_text(), TIME_LIMIT)


def test_the_row_of_a_running_job_shows_what_it_has_printed(start, tmp_path):
    start()
    once(bodies.print_and_wait, str(tmp_path / "go"))
    running = Execution.objects.filter(job_id="print_and_wait", status="running")
    eventually(lambda: running.filter(log="half way\n").exists(), TIME_LIMIT)


def test_a_drain_keeps_the_output_of_a_run_that_outlasts_it(start, tmp_path):
    process = start()
    once(bodies.print_and_wait, str(tmp_path / "go"))
    eventually((tmp_path / "go.printed").exists, TIME_LIMIT)
    process.send_signal(signal.SIGQUIT)
    process.wait(TIME_LIMIT)
    assert (row := ended(bodies.print_and_wait))
    assert (row.status, row.log) == ("lost", "half way\n")


def test_a_run_that_outlasts_the_drain_leaves_no_program_behind(start, tmp_path):
    """Its retry may begin elsewhere: the work of the lost run must not go on beside it."""
    process, path = start(), tmp_path / "program.pid"
    once(bodies.run_a_program, str(path))
    pid = eventually(lambda: path.exists() and path.read_text(), TIME_LIMIT)
    process.send_signal(signal.SIGQUIT)
    process.wait(TIME_LIMIT)
    assert ended(bodies.run_a_program).status == "lost"
    left = Path("/proc", pid, "cmdline")
    eventually(lambda: not left.exists() or not left.read_bytes(), 10)


def test_a_job_that_ends_its_process_is_quarantined_and_its_neighbours_run(start, tmp_path):
    """Each start takes the neighbours along, until only the suspects run one by one."""
    scheduler.add_job(bodies.lasting, "interval", seconds=1, id="lasting",
                      args=[str(tmp_path / "go")])  # fmt: skip
    scheduler.add_job(bodies.quick, "interval", seconds=1, id="quick")
    scheduler.add_job(bodies.end_the_process, "interval", seconds=1, id="culprit")
    culprit = Job.objects.filter(id="culprit", state=JobState.QUARANTINED)
    for attempt in range(8):
        process = start()
        eventually(lambda process=process: process.poll() is not None or culprit.exists())
        if culprit.exists():
            break
        if attempt:
            (tmp_path / "go").touch()  # from now on the neighbour ends when it may run
    assert "ended their scheduler process 3 times" in culprit.get().last_error
    assert set(Job.objects.filter(state=JobState.ACTIVE).values_list("id", flat=True)) == {
        "lasting", "quick",
    }  # fmt: skip
    for neighbour in ("lasting", "quick"):
        rows = Execution.objects.filter(job_id=neighbour, status="succeeded")
        eventually(rows.exists, TIME_LIMIT)
    assert process.poll() is None
