"""The worker process. It is imported before Django is set up there: nothing here is a model.

It speaks with the scheduler through a pipe: runs come in; output, as it is written, and the result
go out. It leads a session of its own, so that it can be ended with all that a run started.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django

from ...db.clock import monotonic
from .output import DONE, READY
from .surroundings import Home, Surroundings
from .tree import end_descendants

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MAX_ENDED_CHILDREN = 50
"""Children that ended and that no run has waited for: each keeps its process id until we end."""
WATCH_INTERVAL = 0.2
"""Seconds between two looks at the scheduler, and for which output may wait to be sent."""


def serve(channel: Connection, parent: int, alive_until: Any, home: Home) -> None:
    """Execute runs until the scheduler closes the channel, is gone, or a run leaves a mess.

    Args:
        channel: where runs come from and messages go.
        parent: process id of the scheduler.
        alive_until: shared ``double``, the moment after which this process must end.
        home: directory, umask and environment that runs find.
    """
    os.setsid()
    # Not SIG_IGN, which the programs that a run starts would inherit: they could not be ended.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        system.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # What a run starts as a daemon becomes a child of this process, not of the system's first:
        # it is found, and ends, with all else that the run started.
        system.prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(1)
    home.adopt()
    django.setup()
    from .bodies import Bodies

    bodies = Bodies(channel)
    threading.Thread(
        target=_watch, args=(parent, alive_until, bodies), name="watch", daemon=True
    ).start()
    before = Surroundings()
    bodies.send(READY)
    with suppress(EOFError, OSError):
        reusable = True
        while reusable:
            result = bodies.execute(*channel.recv())
            reusable = Surroundings() == before and _ended_children() <= MAX_ENDED_CHILDREN
            bodies.send(DONE, result, reusable)
    _leave()


def _ended_children() -> int:
    """Return how many children have ended and were not waited for; 0 where the system hides it."""
    found = 0
    with suppress(OSError):
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):
                found += (
                    Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
                )
    return found


def _leave() -> None:
    """End without waiting for threads, and with the processes that runs left behind."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    end_descendants()
    os._exit(0)


def _watch(parent: int, alive_until: Any, bodies: Any) -> None:
    pause = threading.Event()
    while monotonic() < alive_until.value and os.getppid() == parent:
        pause.wait(WATCH_INTERVAL)
        bodies.flush()
    end_descendants()
    os.killpg(0, signal.SIGKILL)  # this process too
