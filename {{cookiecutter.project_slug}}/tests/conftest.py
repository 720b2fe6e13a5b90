"""Fixtures of all tests."""

from scheduler.testing import scheduler_clock

__all__ = ["scheduler_clock"]
