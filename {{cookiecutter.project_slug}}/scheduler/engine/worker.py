"""How a worker process begins. It is unpickled before Django is set up: nothing here is a model."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import Any

import django

from .clock import monotonic

PR_SET_PDEATHSIG = 1
WATCH_INTERVAL = 0.5


def prepare(parent: int, alive_until: Any) -> None:
    """In a new worker: never outlive the scheduler, and know the project."""
    # Not SIG_IGN, which the programs that a body starts would inherit: they could not be ended.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    watch = threading.Thread(target=_end_with_parent, args=(parent, alive_until), daemon=True)
    django.setup()
    watch.start()


def _end_with_parent(parent: int, alive_until: Any) -> None:
    pause = threading.Event()
    while monotonic() < alive_until.value and os.getppid() == parent:
        pause.wait(WATCH_INTERVAL)
    os._exit(1)
