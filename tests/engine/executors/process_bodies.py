"""Job functions for worker processes."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.test.utils import override_settings

FOREVER = 600.0


def start_programs(folder: str) -> None:
    """A program, one in a session of its own, and a child that ignores SIGTERM."""
    for session in (False, True):
        program = subprocess.Popen(["sleep", "600"], start_new_session=session)
        (Path(folder) / str(program.pid)).touch()
    child = multiprocessing.get_context("fork").Process(target=_ignore_sigterm, args=[folder])
    child.start()
    print("started", flush=True)
    time.sleep(FOREVER)


def start_daemons(folder: str, hang: bool) -> None:
    """Programs whose parents have ended, two of them in sessions of their own."""
    for shell in ("setsid sleep 600 & echo $!", "nohup sleep 600 & echo $!"):
        said = subprocess.run(
            ["sh", "-c", f"({shell}) 2>{os.devnull} | head -1"], stdout=subprocess.PIPE, check=True
        ).stdout
        (Path(folder) / said.decode().strip()).touch()
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            (Path(folder) / str(os.getpid())).touch()
            os.execvp("sleep", ["sleep", "600"])
        os._exit(0)
    os.waitpid(child, 0)
    print("started", flush=True)
    if hang:
        time.sleep(FOREVER)


def leave_ended_children(number: int) -> None:
    for _ in range(number):
        subprocess.run(["sh", "-c", "sleep 0 &"], check=True)


def _ignore_sigterm(folder: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(FOREVER)


def start_programs_and_die(folder: str) -> None:
    for _ in range(3):
        program = subprocess.Popen(["sleep", "600"])
        (Path(folder) / str(program.pid)).touch()
    print("started")
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(FOREVER)


def flood(hang: bool) -> None:
    for number in range(30_000):
        print("line", number)
    print("the last line")
    if hang:
        time.sleep(FOREVER)


def process() -> int:
    return os.getpid()


def surroundings() -> list[object]:
    umask = os.umask(0o022)
    os.umask(umask)
    return [
        os.getcwd(),
        umask,
        os.environ.get("LEFT"),
        locale.setlocale(locale.LC_ALL),
        str(signal.getsignal(signal.SIGUSR1)),
        logging.getLogger().level,
        logging.getLogger("django").level,
        gc.isenabled(),
        sys.getrecursionlimit(),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        resource.getrlimit(resource.RLIMIT_CORE),
        decimal.DefaultContext.prec,
        socket.getdefaulttimeout(),
        settings.LANGUAGE_CODE,
        ("error", None, Warning, None, 0) in warnings.filters,
        sorted(thread.name for thread in threading.enumerate()),
        len(multiprocessing.active_children()),
    ]


CHANGES: dict[str, Callable[[], object]] = {
    "logger": lambda: logging.getLogger("django").setLevel(logging.CRITICAL),
    "collector": gc.disable,
    "recursion": lambda: sys.setrecursionlimit(3_000),
    "alarm": lambda: signal.setitimer(signal.ITIMER_REAL, FOREVER),
    "limit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "decimals": lambda: setattr(decimal.DefaultContext, "prec", 3),
    "socket_timeout": lambda: socket.setdefaulttimeout(FOREVER),
    "setting": lambda: override_settings(LANGUAGE_CODE="de").enable(),
    "warnings": lambda: warnings.simplefilter("error"),
}


def change(what: str) -> None:
    if what == "folder":
        os.chdir("/")
    elif what == "umask":
        os.umask(0o077)
    elif what == "environment":
        os.environ["LEFT"] = "behind"
    elif what == "locale":
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
    elif what == "signal_handler":
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    elif what == "root_logger":
        logging.getLogger().setLevel(logging.CRITICAL)
    elif what in CHANGES:
        CHANGES[what]()
    elif what.endswith("thread"):
        daemon = what == "daemon_thread"
        threading.Thread(target=time.sleep, args=[FOREVER], name="left", daemon=daemon).start()
    else:
        context = multiprocessing.get_context("fork")
        context.Process(target=time.sleep, args=[FOREVER], daemon=True).start()


def terminate_process() -> int | None:
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=[FOREVER])
    child.start()
    child.terminate()
    child.join()
    return child.exitcode


def terminate_pool() -> int | None:
    """``Pool.__exit__`` terminates and joins."""
    started, begun = os.pipe()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(_tell_and_sleep, (begun,))
        os.read(started, 1)  # one that has taken no task yet would end by itself
        worker = pool._pool[0]  # type: ignore[attr-defined]
    return worker.exitcode


def _tell_and_sleep(begun: int) -> None:
    os.write(begun, b".")
    time.sleep(FOREVER)


def kill_fork() -> int:
    if (child := os.fork()) == 0:
        time.sleep(FOREVER)
    os.kill(child, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
