"""A job of the tests' own: those of the project come and go."""

from __future__ import annotations


def greet(name: str = "world") -> str:
    return f"Hello, {name}!"
