"""What a fork finds while it takes its first steps."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.processes import environment
from tests.settings import ROOT

FORK = """
import os, signal, sys
import django
django.setup()
from scheduler.engine.executors import forks

signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"the handler of the scheduler"))
# Registered before the guard's: the child calls them first.
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
forks.guard_forks([signal.SIGTERM])
if (child := os.fork()) == 0:
    os.write(1, b"the child went on")
    os._exit(0)
print(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_signal_waits_until_the_child_has_its_own_handlers():
    """One that comes at once, as of a ``terminate()`` right behind the start, ends the child."""
    done = subprocess.run(
        [sys.executable, "-c", FORK], env=environment(), cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(int(signal.SIGTERM)), "False"]
