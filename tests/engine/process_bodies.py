"""Job functions that start processes and threads, or end their own, in a real scheduler."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

FOREVER = 600.0
fork = multiprocessing.get_context("fork")


def _sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(FOREVER)


def _appear(path: str) -> None:
    while not Path(path).exists() or not Path(path).read_text():
        time.sleep(0.01)


def terminate_a_process(path: str) -> int | None:
    child = fork.Process(target=_sleep, args=[path])
    child.start()
    child.terminate()
    child.join()
    return child.exitcode


def leave_a_daemon_child(path: str) -> None:
    fork.Process(target=_sleep, args=[path], daemon=True).start()
    _appear(path)


def leave_a_child(path: str) -> None:
    fork.Process(target=_sleep, args=[path]).start()
    _appear(path)


def leave_a_child_that_ignores_sigterm(path: str) -> None:
    fork.Process(target=_ignore_sigterm, args=[path], daemon=True).start()
    _appear(path)


def _ignore_sigterm(path: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _sleep(path)


def leave_an_exit_function(path: str) -> None:
    atexit.register(time.sleep, FOREVER)
    Path(path).write_text("")


def set_an_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.5)


def leave_a_thread(path: str) -> None:
    threading.Thread(target=_sleep, args=[path], daemon=False).start()
    _appear(path)


def sessions_of_a_fork() -> list[str]:
    """What the sockets of a forked child lead to: none may be the parent's."""
    reading, writing = fork.Pipe(duplex=False)
    child = fork.Process(target=_sockets, args=[writing])
    child.start()
    sockets: list[str] = reading.recv()
    child.join()
    return sockets


def _sockets(writing: multiprocessing.connection.Connection) -> None:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue
    writing.send(sorted(link for link in links if link.startswith("socket:")))


def use_the_orm_in_a_fork(path: str) -> int | None:
    # A fork inherits each lock that another thread holds in that instant, SQLite's own among them;
    # nobody can prevent that, so a child that is stuck is ended and the next one counts.
    for _ in range(5):
        child = fork.Process(target=_count_jobs, args=[path])
        child.start()
        child.join(10)
        if child.exitcode is not None:
            return child.exitcode
        child.kill()
        child.join()
    return None


def _count_jobs(path: str) -> None:
    from scheduler.models import Job

    Path(path).write_text(str(Job.objects.count()))


def end_the_process() -> None:
    os._exit(3)


def quick() -> None:
    pass


def lasting(path: str) -> None:
    """An innocent neighbour that is always lost with the others."""
    deadline = time.monotonic() + FOREVER
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def print_and_wait(path: str) -> None:
    print("half way")
    Path(path).with_suffix(".printed").touch()
    lasting(path)


def run_a_program(path: str) -> None:
    """A program in a session of its own, which this function waits for."""
    program = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path(path).write_text(str(program.pid))
    program.wait()
