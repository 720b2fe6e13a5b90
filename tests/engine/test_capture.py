"""What is kept of what a body prints."""

from __future__ import annotations

from scheduler.engine.capture import Capture


def test_a_limit_of_next_to_nothing_keeps_next_to_nothing():
    captured = Capture(1)
    for _ in range(10):
        captured.write("word ")
    assert captured.text() == "\n... 50 characters cut ...\n"
