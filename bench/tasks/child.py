"""``python -m bench.tasks.child MEASURE SIZE``: a project's own process. Prints a line of JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0
"""Seconds after which a queue that does not empty is left."""
LOOK = 0.01
WAKING = 50
"""Tasks before those that are measured: their workers have imported all that they need."""


def one_by_one(size: int) -> dict[str, Any]:
    """Measure enqueues a second, each in a transaction of its own."""
    from bench.tasks.bodies import noop

    began = time.perf_counter()
    for number in range(size):
        noop.enqueue(number)
    return {"rate": size / (time.perf_counter() - began)}


def in_atomic(size: int) -> dict[str, Any]:
    """Measure the seconds of an enqueue in a transaction that has begun, as a request's has."""
    from django.db import connection, transaction

    from bench.tasks.bodies import noop

    seconds = []
    for number in range(size):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            began = time.perf_counter()
            noop.enqueue(number)
            seconds.append(time.perf_counter() - began)
    seconds.sort()
    return {"p50": seconds[size // 2], "p99": seconds[size * 99 // 100]}


def at_once(size: int) -> dict[str, Any]:
    """Measure enqueues a second, all in one transaction, by the bulk call where there is one."""
    began = time.perf_counter()
    enqueue_all("noop", size)
    return {"rate": size / (time.perf_counter() - began)}


def drain(size: int) -> dict[str, Any]:
    """Measure tasks a second, from the commit of all to the last result. The workers run."""
    enqueue_all("noop", WAKING)
    wait_until_finished()
    enqueue_all("noop", size)
    began = time.perf_counter()
    left = wait_until_finished()
    seconds = time.perf_counter() - began
    return {"rate": (size - left) / seconds, "tasks": WAKING + size - left}


def enqueue_noted(size: int) -> dict[str, Any]:
    """Enqueue tasks that note their start and end."""
    enqueue_all("noted", size)
    return {}


def count() -> dict[str, Any]:
    """Count what has become of the tasks."""
    return {
        "left": _count("unfinished"),
        "explained": _count("explained"),
    }


def enqueue_all(name: str, size: int) -> None:
    from django.db import transaction

    from bench.tasks import bodies

    task = getattr(bodies, name)
    calls = [((number,), {}) for number in range(size)]
    if not calls:
        return
    with transaction.atomic():
        if many := getattr(task.get_backend(), "enqueue_many", None):
            many(task, calls)
        else:
            for args, kwargs in calls:
                task.enqueue(*args, **kwargs)


def wait_until_finished() -> int:
    """Wait until no task is left to be run, and return how many are left after all."""
    give_up = time.monotonic() + PATIENCE
    while (left := _count("unfinished", limit=1)) and time.monotonic() < give_up:
        time.sleep(LOOK)
    return left and _count("unfinished")


def _count(condition: str, limit: int | None = None) -> int:
    from django.conf import settings
    from django.db import connection

    system = settings.SYSTEM
    rows = f"SELECT 1 FROM {system.table} WHERE {getattr(system, condition)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({rows} LIMIT %s) AS found", [limit])
        return int(cursor.fetchone()[0])


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    measure.__name__: measure
    for measure in (one_by_one, in_atomic, at_once, drain, enqueue_noted, count)
}


def main() -> None:
    logging.basicConfig(level=logging.CRITICAL)
    import django
    from django.db import connection

    django.setup()
    connection.ensure_connection()
    print(json.dumps(MEASURES[sys.argv[1]](*map(int, sys.argv[2:]))), flush=True)


if __name__ == "__main__":
    main()
