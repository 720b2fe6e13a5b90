"""Tell what a job function returned apart from a promise of its work, which nobody would keep."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Iterable
from concurrent.futures import Future
from functools import partial
from itertools import islice
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from asgiref.sync import async_to_sync

logger = logging.getLogger("scheduler.promises")

MAX_LOOKED_AT = 1_000
"""How many parts of a list, tuple, set or dictionary are looked at."""
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
        TypeError: it is a generator, an iterator, a coroutine or a function.
    """
    for each in (value, *_parts(value)):
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


def _parts(value: Any) -> Iterable[Any]:
    parts = value.values() if type(value) is dict else value
    return islice(parts, MAX_LOOKED_AT) if type(value) in (dict, list, tuple, set) else ()


def _promise(value: Any) -> str:
    """Return what is promised and by whom it is not kept; empty if it is no promise."""
    kind = type(value)
    if kind.__module__ == "contextlib":  # a function under @contextmanager
        value = getattr(value, "gen", value)
    name = type(value).__name__.replace("_", " ")
    if isinstance(value, GeneratorType):
        return _unused(name) if inspect.getgeneratorstate(value) == inspect.GEN_CREATED else ""
    if isinstance(value, AsyncGeneratorType):
        return "" if value.ag_frame is None else _unused(name)  # Python 3.11 does not tell more
    if isinstance(value, CoroutineType):
        return f"a {name} that nobody awaits"
    if kind in LAZY or kind.__module__ == "itertools":
        return _unused(name)
    if inspect.isfunction(value) or inspect.ismethod(value) or kind is partial:
        return f"a {name} that nobody calls"
    return ""


def _unused(name: str) -> str:
    return f"a {name} that nothing consumes"
