"""What the loop sleeps on."""

from __future__ import annotations

import os
import resource
from types import SimpleNamespace

import pytest
from scheduler.engine.wakeup import Wakeup


@pytest.fixture
def high():
    """A pipe whose numbers are beyond what ``select()`` takes."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, limits[1]))
    taken = [os.dup(0) for _ in range(1100)]
    read, write = os.pipe()
    yield read, write
    for fd in (*taken, read, write):
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_process_with_many_open_files_hears_its_listener(high):
    read, write = high
    heard = []
    listener = SimpleNamespace(socket=lambda: read, receive=lambda: heard.append("it"))
    wakeup = Wakeup()
    assert not wakeup.wait(0.01, listener)
    os.write(write, b"x")
    wakeup.take_dirty()
    assert wakeup.wait(60, listener)
    assert (heard, wakeup.take_dirty()) == (["it"], True)
    wakeup.close()
