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
from typing import Any

import django

from ...db.clock import monotonic
from .output import DONE, READY
from .surroundings import Home, Surroundings
from .tree import MAX_ENDED_CHILDREN, adopt_orphans, end_descendants, ended_children

PR_SET_PDEATHSIG = 1
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
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    adopt_orphans()
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
            reusable = Surroundings() == before and ended_children() <= MAX_ENDED_CHILDREN
            bodies.send(DONE, result, reusable)
    _leave()


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
