"""A job of the tests' own: those of the project come and go."""

from __future__ import annotations

import logging


def greet(name: str = "world") -> str:
    return f"Hello, {name}!"


def complain() -> None:
    logging.getLogger("shop").warning("out of paper")
