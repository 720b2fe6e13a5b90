"""What a job function finds around it, and leaves to the next one: its process's and its thread's.

Of its process, threads share the working directory, the umask, signals and more; only the first
two, and what lets the log speak, can be put back for them. A worker process that a function left
changed is replaced, so the next one gets the scheduler's surroundings.

What belongs to its thread alone is put back: asyncio's event loop, trace and profile functions,
blocked signals, processors, its name. Context variables are a copy for each run, and connections
have a guard of their own. Values in ``threading.local`` stay, as in any pool of threads: Python has
no way to end them before their thread.
"""

from __future__ import annotations

import asyncio.events
import ctypes
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings

logger = logging.getLogger("scheduler.surroundings")


MAX_PATH_BYTES = 4096
"""Of a working directory's name, as Linux limits it."""
_getcwd = ctypes.PyDLL(None).getcwd
"""The system's own: os.getcwd lets other threads go on, and waits behind them, after each run."""
_getcwd.argtypes, _getcwd.restype = (ctypes.c_char_p, ctypes.c_size_t), ctypes.c_char_p


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _directory() -> str:
    """Return the working directory; empty if it was removed."""
    name = _getcwd(ctypes.create_string_buffer(MAX_PATH_BYTES), MAX_PATH_BYTES)
    return os.fsdecode(name or b"")


@dataclass(frozen=True)
class Home:
    """Working directory, umask and environment of the scheduler when it started."""

    directory: str = field(default_factory=_directory)
    umask: int = field(default_factory=_umask)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def return_to(self) -> None:
        """Go back to the directory, if it still exists, and to the umask."""
        os.umask(self.umask)
        with suppress(OSError):
            os.chdir(self.directory)

    def adopt(self) -> None:
        """Go to the directory, with the umask and the environment, in a new process."""
        self.return_to()
        os.environ.clear()
        os.environ.update(self.environ)


class LogState:
    """What lets the loggers speak at this moment: a configuration may silence those of others."""

    def __init__(self) -> None:
        root = logging.getLogger()
        self._level, self._below = root.level, root.manager.disable
        self._handlers = [*root.handlers]
        known = tuple(root.manager.loggerDict.values())  # a dot in a name leaves placeholders
        self._known = len(known)
        loggers = (one for one in known if isinstance(one, logging.Logger))
        self._speaking = [one for one in loggers if not one.disabled]

    def is_current(self) -> bool:
        """Return whether this is the state now, and of all loggers that there are now."""
        root = logging.getLogger()
        return (
            len(root.manager.loggerDict) == self._known
            and root.handlers == self._handlers
            and not self._is_changed()
        )

    def put_back(self) -> bool:
        """Let them speak again; return whether somebody had silenced them.

        Handlers that were added stay, unless others had to give way to them.
        """
        if not self._is_changed():
            return False
        root = logging.getLogger()
        for each in self._speaking:
            each.disabled = False
        if not set(self._handlers) <= set(root.handlers):
            root.handlers[:] = self._handlers
        root.setLevel(self._level)
        logging.disable(self._below)
        return True

    def _is_changed(self) -> bool:
        root = logging.getLogger()
        return (
            (root.level, root.manager.disable) != (self._level, self._below)
            or not set(self._handlers) <= set(root.handlers)
            or True in [each.disabled for each in self._speaking]
        )


class SharedHome:
    """Puts back what job functions in threads have changed of this process, when none of them runs.

    Directory, umask, and what lets the log speak. Not before: one that changes its umask for a
    moment would find it widened in the middle.
    """

    def __init__(self) -> None:
        self.home = Home()
        self._log = LogState()
        self._inside: set[int] = set()
        """Threads whose job function runs: a set, which needs no lock that all would wait for."""
        self._checking = False
        self._lock = threading.Lock()
        """Of whoever checks. Nothing that lets other threads go on is called meanwhile."""

    def __enter__(self) -> None:
        # First this, then the look: whoever checks does the same, so one of both sees the other.
        self._inside.add(threading.get_ident())
        if self._checking:
            with self._lock:
                pass
        if len(self._inside) == 1 and not self._log.is_current():
            self._log = LogState()

    def __exit__(self, *_: object) -> None:
        self._inside.discard(threading.get_ident())
        if self._inside:
            return
        with self._lock:
            self._checking = True
            try:
                if not self._inside:
                    self._put_back()
            finally:
                self._checking = False

    def _put_back(self) -> None:
        if self._log.put_back():
            logger.warning(
                "A job configured logging, which silenced others: put back. Jobs that do so"
                " belong to executor='processes'"
            )
        directory, umask = _directory(), os.umask(self.home.umask)
        if (directory, umask) != (self.home.directory, self.home.umask):
            logger.warning(
                "A job left the working directory %r and the umask %03o: put back. Jobs that"
                " change them belong to executor='processes'", directory, umask,
            )  # fmt: skip
            self.home.return_to()


@lru_cache(maxsize=1)
def shared_home() -> SharedHome:
    """Return the one of this process; it is made when the first scheduler starts here."""
    return SharedHome()


@dataclass(frozen=True)
class Surroundings:
    """The state of a worker process that a job function may change. Compare two of them."""

    directory: str = field(default_factory=_directory)
    umask: int = field(default_factory=_umask)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    locale: str = field(default_factory=lambda: locale.setlocale(locale.LC_ALL))
    signals: tuple[Any, ...] = field(
        default_factory=lambda: tuple(map(signal.getsignal, sorted(signal.valid_signals())))
    )
    logging: tuple[Any, ...] = field(default_factory=lambda: _logging_state())
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    streams: tuple[int, ...] = field(default_factory=lambda: (id(sys.stdout), id(sys.stderr)))
    interpreter: tuple[Any, ...] = field(default_factory=lambda: _interpreter())
    system: tuple[Any, ...] = field(default_factory=lambda: _system())
    settings: tuple[Any, ...] = field(default_factory=lambda: _settings())
    threads: frozenset[int | None] = field(
        default_factory=lambda: frozenset(thread.ident for thread in threading.enumerate())
    )
    children: frozenset[int | None] = field(
        default_factory=lambda: frozenset(child.pid for child in multiprocessing.active_children())
    )


def _interpreter() -> tuple[Any, ...]:
    """Return what a function may set for all of the interpreter."""
    return (
        gc.isenabled(),
        gc.get_threshold(),
        sys.getrecursionlimit(),
        sys.getswitchinterval(),
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
        threading.stack_size(),
        threading.gettrace(),
        threading.getprofile(),
        socket.getdefaulttimeout(),
        repr(decimal.DefaultContext),
        _event_loop_policy(),
        [each for each in warnings.filters if each[0] == "error"],
    )


def _system() -> tuple[Any, ...]:
    """Return what the system keeps for the process."""
    limits = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    return (
        [signal.getitimer(each) != (0.0, 0.0) for each in timers],
        [resource.getrlimit(getattr(resource, name)) for name in limits],
        os.getpriority(os.PRIO_PROCESS, 0),
        os.getuid(),
        os.geteuid(),
        os.getgid(),
        os.getegid(),
        os.getgroups(),
        time.tzname,
    )


def _event_loop_policy() -> Any:
    """Return asyncio's policy where somebody set another than the usual one."""
    policy = getattr(asyncio.events, "_event_loop_policy", None)
    return None if type(policy).__module__.startswith("asyncio.") else policy


def _held() -> object:
    return vars(settings)["_wrapped"]


@lru_cache(maxsize=1)
def _known() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the loggers and settings that there were at first: imports bring more of both."""
    names = tuple(name for name in vars(_held()) if name.isupper())
    return tuple(logging.getLogger().manager.loggerDict), names


def _settings() -> tuple[Any, ...]:
    """Return the identity of Django's settings, and of each one's value."""
    held = _held()
    return id(held), [id(vars(held).get(name)) for name in _known()[1]]


def _logging_state() -> tuple[Any, ...]:
    root = logging.getLogger()
    known = [logging.getLogger(name) for name in _known()[0]]
    own = [(each.level, each.propagate, each.disabled) for each in known]
    return root.level, tuple(map(id, root.handlers)), root.manager.disable, own


def _processors() -> Any:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


@dataclass(slots=True)
class ThreadState:
    """The state of the calling thread when the object is made."""

    trace: Any = field(default_factory=sys.gettrace)
    profile: Any = field(default_factory=sys.getprofile)
    blocked: set[Any] = field(default_factory=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    processors: Any = field(default_factory=_processors)
    name: str = field(default_factory=lambda: threading.current_thread().name)
    loop: tuple[Any, bool] = field(default_factory=lambda: _loop())

    def put_back(self) -> None:
        """Undo in the same thread what a job function changed since."""
        # Only what differs: either call makes a newer Python look at all code again.
        if sys.gettrace() is not self.trace:
            sys.settrace(self.trace)
        if sys.getprofile() is not self.profile:
            sys.setprofile(self.profile)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        if _processors() != self.processors:
            with suppress(OSError):
                os.sched_setaffinity(0, self.processors)
        if threading.current_thread().name != self.name:
            threading.current_thread().name = self.name
        if _loop() != self.loop:
            own = _of_this_thread()
            own._loop, own._set_called = self.loop


def _of_this_thread() -> Any:
    """Return where the policy keeps this thread's loop; None where nobody has used one."""
    # Not get_event_loop_policy(), which would make one, and is deprecated.
    return getattr(getattr(asyncio.events, "_event_loop_policy", None), "_local", None)


def _loop() -> tuple[Any, bool]:
    """Return the event loop that somebody set in this thread, and whether anybody did."""
    own = _of_this_thread()
    return getattr(own, "_loop", None), getattr(own, "_set_called", False)
