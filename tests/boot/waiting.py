"""Waiting for something to become true, never for time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found], within: float, what: str) -> Found:
    """The first true answer of ``look``. One that is asked too early may raise OSError."""
    deadline = time.monotonic() + within
    answer: object = None
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
            answer = found
        except OSError as error:
            answer = error
        time.sleep(0.05)
    raise AssertionError(f"within {within:g} s: not {what}; last answer: {answer!r}")
