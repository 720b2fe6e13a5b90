"""End a process with everything that it started."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
PR_SET_CHILD_SUBREAPER = 36
MAX_ENDED_CHILDREN = 50
"""Children that ended and that no run has waited for: each keeps its process id until then."""


def adopt_orphans() -> None:
    """Become the parent of what a job function starts as a daemon, on Linux.

    Else the system's first process would: the daemon would be found by nobody, and outlive the run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def ended_children() -> int:
    """Return how many children have ended and were not waited for; 0 where the system hides it."""
    found = 0
    with suppress(OSError):
        for child in (PROC / f"self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):
                state = (PROC / child / "stat").read_text(errors="replace").rpartition(")")[2]
                found += state.split()[0] == "Z"
    return found


def reap_children() -> None:
    """Wait for the children that have ended, so that their ids are free again."""
    with suppress(ChildProcessError):
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
            pass


def kill_tree(leader: int) -> None:
    """Kill a process that leads a process group of its own, that group, and all descendants.

    A program that a job function starts in a session of its own is no member of the group, but
    still a descendant; so is a daemon, which the worker adopts (``PR_SET_CHILD_SUBREAPER``). The
    caller must not have reaped the leader: its id would be free.
    """
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGSTOP)  # it must not start more while they are counted
    found = descendants(leader)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in [leader, *found]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def end_descendants() -> None:
    """Kill everything that this process started and that still lives."""
    for pid in descendants(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(root: int) -> list[int]:
    """Return the ids of the children of a process, their children, and so on; on Linux only."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name, in parentheses, may hold anything; state and parent follow it.
            parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found
