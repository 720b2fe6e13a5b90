"""Job functions that change what surrounds them, or that only promise their work."""

from __future__ import annotations

import asyncio
import contextlib
import decimal
import functools
import gc
import io
import itertools
import logging
import logging.config
import os
import signal
import sys
import threading
from collections import OrderedDict, deque, namedtuple
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.pool import ThreadPool
from queue import SimpleQueue
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.utils import timezone, translation

Pair = namedtuple("Pair", "left right")
variable: ContextVar[str] = ContextVar("variable", default="unset")
suspended: list[Generator[None, None, None]] = []
done: list[str] = []


def nothing() -> None:
    pass


def change_context() -> None:
    translation.activate("de")
    timezone.activate("Asia/Tokyo")
    decimal.getcontext().prec = 3
    variable.set("changed")


def read_context() -> list[object]:
    names = [translation.get_language(), timezone.get_current_timezone_name()]
    return [*names, decimal.getcontext().prec, variable.get()]


def write(name: str) -> None:
    Group.objects.create(name=name)


def leave_atomic_open(name: str) -> None:
    transaction.atomic().__enter__()
    write(name)


def leave_nested_atomic_open_and_fail(name: str) -> None:
    transaction.atomic().__enter__()
    leave_atomic_open(name)
    raise ValueError("on purpose")


def suspend_inside_atomic(name: str) -> None:
    def suspend() -> Generator[None, None, None]:
        with transaction.atomic():
            write(name)
            yield

    suspended.append(suspend())
    next(suspended[-1])


def leave_autocommit_off(name: str) -> None:
    transaction.set_autocommit(False)
    write(name)


def begin_by_hand(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    write(name)


def write_while_a_generator_closes(name: str) -> None:
    """What the garbage collector may do at any time."""
    with transaction.atomic():
        write(name)
        suspended.clear()


def lose_the_connection() -> None:
    """What a restart of the server does, unnoticed by Django."""
    connection.ensure_connection()
    connection.connection.close()


SESSION = {
    "postgresql": ("SET statement_timeout = '7s'", "SHOW statement_timeout"),
    "mysql": ("SET SESSION sort_buffer_size = 65536", "SELECT @@sort_buffer_size"),
    "sqlite": ("PRAGMA cache_size = 77", "PRAGMA cache_size"),
}


def change_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SESSION[connection.vendor][0])


def read_session() -> str:
    with connection.cursor() as cursor:
        cursor.execute(SESSION[connection.vendor][1])
        return str(cursor.fetchone()[0])


TEMPORARY = "CREATE TEMPORARY TABLE left_behind (a int)"


def behind_a_comment() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"/* traced */ {SESSION[connection.vendor][0]}")


def temporary_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TEMPORARY)


def half_read() -> None:
    suspended.append(iter(Group.objects.iterator(chunk_size=2)))  # type: ignore[arg-type]
    next(suspended[-1])


def half_read_cursor() -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM auth_group ORDER BY name")
    cursor.fetchone()
    suspended.append(cursor)  # type: ignore[arg-type]


def wrap_statements() -> None:
    connection.execute_wrappers.append(_refuse)


def _refuse(*_: Any) -> None:
    raise ValueError("the wrapper of another function")


def rows_of_its_own() -> None:
    connection.ensure_connection()
    connection.connection.row_factory = lambda *_: lambda *_: ("another",)


def mark_for_rollback() -> None:
    connection.needs_rollback = True


def count() -> int:
    return Group.objects.count()


def change_thread() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    sys.settrace(lambda *_: None)
    sys.setprofile(lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    threading.current_thread().name = "another"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def read_thread() -> list[str]:
    try:
        asyncio.get_event_loop().close()
        loop = "left"
    except RuntimeError:
        loop = "none"
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    name = threading.current_thread().name
    return [loop, *map(str, (sys.gettrace(), sys.getprofile(), blocked, processors, name))]


def thread() -> int:
    return threading.get_ident()


def session_object() -> int:
    connection.ensure_connection()
    return id(connection.connection)


def generator() -> Iterator[int]:
    done.append("ran")
    yield 1


async def async_generator() -> AsyncIterator[int]:
    done.append("ran")
    yield 1


def lazy_map() -> map[None]:
    return map(done.append, ["ran"])


def lazy_chain() -> Any:
    return itertools.chain(lazy_map())


def lazy_zip() -> Any:
    return zip(lazy_map(), [1], strict=True)


def coroutine_in_a_list() -> Any:
    return [work()]


def coroutine_in_a_list_of_lists() -> Any:
    return (1, [[work()]])


def coroutine_in_a_named_tuple() -> Any:
    return Pair(work(), 1)


def coroutine_in_a_deque() -> Any:
    return deque([work()])


def coroutine_in_an_ordered_dictionary() -> Any:
    return OrderedDict(work=work())


def promise_in_a_list() -> Any:
    return [Promise()]


def future_in_a_list() -> Any:
    """Its pool waits for it, nobody for its exception."""
    with ThreadPoolExecutor(1) as pool:
        return [pool.submit(int, "no number")]


async def task_in_a_dictionary() -> Any:
    return {"task": asyncio.ensure_future(asyncio.sleep(600))}


def result_of_a_pool() -> Any:
    with ThreadPool(1) as pool:
        return pool.apply_async(threading.Event().wait, [0.2])


def thread_that_nobody_starts() -> Any:
    return threading.Thread(target=generator)


def generator_in_a_dictionary() -> Any:
    return {"work": generator()}


@contextlib.contextmanager
def context_manager() -> Iterator[None]:
    done.append("ran")
    yield


def decorator_without_brackets() -> Any:
    """As ``@retry`` where ``@retry()`` is meant: the call returns a decorated function."""
    return generator


def half_applied() -> Any:
    return functools.partial(done.append, "ran")


def future() -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: done.append("ran") or "worked")


async def task() -> Any:
    return asyncio.ensure_future(work())


def future_that_fails() -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(int, "no number")


async def task_left_behind() -> int:
    asyncio.ensure_future(asyncio.sleep(600))  # noqa: RUF006
    return 1


def begun() -> Any:
    found = generator()
    next(iter(found))
    return found


async def work() -> str:
    done.append("ran")
    return "worked"


async def promise() -> Any:
    return work()


class Promise:
    def __await__(self) -> Generator[Any, None, str]:
        return work().__await__()


def promised() -> Promise:
    return Promise()


partial: Callable[..., Any] = functools.partial(functools.partial(work))


def fork(path: str) -> int:
    """The child returns into whatever called the body."""
    if (child := os.fork()) == 0:
        with open(path, "w") as file:
            file.write("child")
        return 0
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger("shop").warning("one line")
    finally:
        logging.getLogger().removeHandler(handler)


def log_beside_the_root() -> None:
    logger = logging.getLogger("shop.apart")
    logger.propagate = False
    logger.warning("one line")


def print_in_a_thread() -> None:
    thread = threading.Thread(target=print, args=["from the thread"])
    thread.start()
    thread.join()


def print_much(before: int, secret: str) -> None:
    print("a" * before + secret + "z" * 1_000, end="")


def fail_with(text: str, times: int) -> None:
    raise ValueError(text * times)


def fail_around(before: int, secret: str) -> None:
    raise ValueError("a" * before + secret + "z" * 10_000)


def result_around(before: int, secret: str) -> str:
    return "a" * before + secret + "z" * 1_000


def with_secret(secret: str = "") -> None:
    pass


def write_data(data: Any) -> None:
    sys.stdout.write(data)


class Wrapped:
    """As colorama and its like stand around ``sys.stdout``."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> Any:
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS: dict[str, Callable[[], Any]] = {
    "wrapped": lambda: setattr(sys, "stdout", Wrapped(sys.stdout)),
    "none": lambda: setattr(sys, "stdout", None),
    "closed": lambda: sys.stdout.close(),
    "replaced by a closed one": lambda: setattr(sys, "stdout", _closed()),
    "another encoding": lambda: setattr(
        sys, "stdout", io.TextIOWrapper(sys.stdout.buffer, "latin-1")
    ),
    "detached": lambda: setattr(sys, "stdout", io.TextIOWrapper(sys.stdout.detach(), "utf-8")),
}


def change_stream(how: str) -> None:
    STREAMS[how]()
    gc.collect()


def print_bytes() -> None:
    print("before")
    sys.stdout.buffer.write("b\u00fctes\n".encode())
    print("after")


pools: list[ThreadPoolExecutor] = []


def print_in_a_pool(text: str) -> None:
    if not pools:
        pools.append(ThreadPoolExecutor(1))
    pools[0].submit(print, text).result()


def log_through_a_queue() -> None:
    queue: SimpleQueue[Any] = SimpleQueue()
    log, handler = logging.getLogger("tests.queue"), QueueHandler(queue)
    listener = QueueListener(queue, logging.StreamHandler(sys.stdout))
    log.addHandler(handler)
    listener.start()
    log.warning("one line")
    listener.stop()
    log.removeHandler(handler)


SILENCES: dict[str, Callable[[], Any]] = {
    "disable": lambda: logging.disable(logging.CRITICAL),
    "dictConfig": lambda: logging.config.dictConfig({"version": 1}),
    "basicConfig": lambda: logging.basicConfig(force=True, level=logging.CRITICAL),
    "level": lambda: logging.getLogger().setLevel(logging.CRITICAL + 1),
}


def silence(how: str) -> None:
    SILENCES[how]()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt

    def __repr__(self) -> str:
        raise SystemExit(3)


def raise_unspeakable() -> None:
    raise Unspeakable


def return_unspeakable() -> object:
    return Unspeakable()
