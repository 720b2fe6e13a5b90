"""Job bodies that the tests schedule."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time

from scheduler import current_run

gate = threading.Event()
"""A body that waits here goes on when a test opens it."""
entered = threading.Event()
"""A body has come to the gate."""


def noop() -> None:
    """Nothing."""


def tick() -> int:
    print("tick")
    return 1


def wait_at_gate() -> str:
    entered.set()
    return "passed" if gate.wait(30) else "nobody opened"


def boom() -> None:
    raise ValueError("no\0good \ud800")


CREDENTIAL = "canary-of-the-project"


def known_credentials() -> list[str]:
    """What ``APSCHEDULER_SECRETS`` names in a test."""
    return [CREDENTIAL]


def tell_credential(ends: str) -> str:
    """Tell a credential of the project in every way that a job function has."""
    print("with", CREDENTIAL)
    logging.getLogger("bodies").warning("with %r", CREDENTIAL)
    if ends == "raises":
        raise ValueError(CREDENTIAL) from KeyError(CREDENTIAL)
    return CREDENTIAL


def refuse(key: str) -> None:
    raise ValueError(f"bad key {key}")


def add(a: int, b: int = 0) -> int:
    return a + b


async def refuse_later(key: str) -> None:
    refuse(key)


async def later() -> str:
    return "later"


def spin(seconds: float) -> None:
    """Hold the interpreter, as a bad regular expression does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def note(path: str) -> None:
    """One line for each call, which no crash takes back."""
    run = current_run()
    with open(path, "a") as file:
        file.write(f"{run.scheduled_run_time if run else None}\n")


class Thing:
    """A value that JSON cannot carry."""


def repeat(key: object, ends: str) -> object:
    """Tell the secret in every way that a job function has."""
    print(key, repr(key), json.dumps(str(key)), json.dumps(str(key), ensure_ascii=False))
    logging.getLogger("bodies").warning("with %r", key)
    if ends == "raises":
        raise ValueError(key, repr(key)) from KeyError(key)
    return {"key": key, "text": str(key), "repr": repr(key)}
