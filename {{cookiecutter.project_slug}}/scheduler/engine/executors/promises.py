"""Tell what a job function returned apart from a promise of its work, which nobody would keep."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import islice
from threading import Thread
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from asgiref.sync import async_to_sync

logger = logging.getLogger("scheduler.promises")

MAX_LOOKED_AT = 1_000
"""How many things in lists, tuples, sets and dictionaries are looked at."""
PLAIN = frozenset({type(None), bool, int, float, str, bytes})
CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, deque)
LAZY = (map, filter, zip, enumerate)
"""So are those of ``itertools``."""


def awaited(value: Any) -> Any:
    """Return what a job function returned, once that was awaited. Raises what awaiting it does."""
    while True:
        if inspect.isawaitable(value):
            # Not asyncio.run: there the ORM works in one thread of all runs, whose connection
            # nobody closes when it breaks. Here it works in this one.
            value = async_to_sync(_awaited)(value)
        elif isinstance(value, Future):
            value = value.result()
        else:
            return value


def refuse_promise(value: Any) -> None:
    """Refuse what a job function returned where that is, or has in it, a promise of its work.

    Raises:
        TypeError: it is a generator, an iterator, a coroutine, a future or a function.
    """
    if type(value) in PLAIN:
        return
    for each in _within(value):
        if promise := _promise(each):
            raise TypeError(
                f"it returned {promise}, so its work was not done: "
                "call a function that runs to its end"
            )


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    value: Any = awaitable
    while inspect.isawaitable(value):  # a task belongs to the loop in which it was made
        value = await value
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        names = ", ".join(sorted(str(task.get_coro()) for task in left))
        logger.warning("It left asyncio tasks that are cancelled now; await them: %.500s", names)
    return value


def _within(value: Any) -> list[Any]:
    """Return the value and what is in it, containers in containers too, but no endless number."""
    found = [value]
    for each in found:
        inside = None if type(each) in PLAIN else _inside(each)
        if inside is not None:
            found.extend(islice(inside, MAX_LOOKED_AT - len(found)))
        if len(found) >= MAX_LOOKED_AT:
            break
    return found


def _inside(value: Any) -> Iterator[Any] | None:
    if isinstance(value, dict):
        return iter(dict.values(value))
    for kind in CONTAINERS:
        if isinstance(value, kind):
            return kind.__iter__(value)
    return None


def _promise(value: Any) -> str:
    """Return what is promised and by whom it is not kept; empty if it is no promise."""
    kind = type(value)
    if kind in PLAIN:
        return ""
    if kind.__module__ == "contextlib":  # a function under @contextmanager
        value = getattr(value, "gen", value)
    name = type(value).__name__.replace("_", " ")
    if isinstance(value, GeneratorType):
        return _unused(name) if inspect.getgeneratorstate(value) == inspect.GEN_CREATED else ""
    if isinstance(value, AsyncGeneratorType):
        return "" if value.ag_frame is None else _unused(name)  # Python 3.11 does not tell more
    if isinstance(value, (Future, asyncio.Future)):
        kept = value.done() and not value.cancelled() and value.exception() is None
        return "" if kept else f"a {name} that nobody waits for"
    if kind.__module__ == "multiprocessing.pool" and hasattr(value, "successful"):
        kept = value.ready() and value.successful()
        return "" if kept else f"a {name} that nobody waits for"
    if isinstance(value, Thread):
        return f"a {name} that nobody starts" if value.ident is None else ""
    if inspect.isawaitable(value):
        return f"a {name} that nobody awaits"
    if kind in LAZY or kind.__module__ == "itertools":
        return _unused(name)
    if inspect.isfunction(value) or inspect.ismethod(value) or kind is partial:
        return f"a {name} that nobody calls"
    return ""


def _unused(name: str) -> str:
    return f"a {name} that nothing consumes"
