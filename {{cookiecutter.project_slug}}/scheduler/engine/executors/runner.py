"""Call a job function with its connections, context and captured output, and describe the outcome.

Runs in a worker thread or process and never touches the scheduler's tables.
"""

from __future__ import annotations

import os
import sys
import traceback as tracebacks
from collections.abc import Callable, Collection
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from ... import serialization
from ...conf import conf
from ...db.guard import ConnectionGuard
from ...definitions import references
from ...masking import SecretTexts
from ...models import Execution
from ...models.execution import Status
from ...models.runspec import RunSpecValues
from . import promises
from .capture import Capture
from .cut import cut_before, shorten
from .surroundings import ThreadState

MAX_EXCEPTION_CHARS = 4_096
"""Characters of an exception's own text that are kept, as one line of lists, logs and mails."""
NIL = UUID(int=0)


@dataclass(slots=True, kw_only=True)
class Run(RunSpecValues):
    """A started execution, which its job function reads as ``current_run()``."""

    id: int
    job_id: str
    scheduled_run_time: datetime | None
    attempt: int
    term: int
    """Grows with every change of leader: hand it to a resource that can refuse older ones."""
    job_name: str = ""
    job_uid: UUID = field(default=NIL, repr=False)
    due_at: datetime | None = field(default=None, repr=False)
    queued_at: datetime | None = field(default=None, repr=False)
    started_at: datetime | None = field(default=None, repr=False)
    node_id: UUID | None = field(default=None, repr=False)
    priority: int = field(default=0, repr=False)
    task_backend: str = field(default="", repr=False)
    task_queue: str = field(default="", repr=False)
    publication: int = field(default=0, repr=False)
    cancel_requested: bool = False
    """Whether a cancel was requested: a thread can only be asked to end."""


COLUMNS = tuple(column.name for column in fields(Run) if column.name != "cancel_requested")
"""The columns of ``Execution`` that make up ``Run``."""


@dataclass
class Result:
    """How a run ended. ``status`` is ``queued`` when its body was not started after all."""

    id: int
    status: Status
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exception: str = ""
    exception_class: str = ""
    traceback: str = ""
    log: str = ""
    return_value: str = ""
    reason: str = ""
    error: BaseException | None = None
    """The exception itself, for APScheduler's listeners; None when it was raised elsewhere."""
    value: Any = None


OUTCOME = ("status", "started_at", "finished_at", "exception", "exception_class", "traceback",
           "log", "return_value", "reason")  # fmt: skip
"""The columns of the execution's row that a result writes."""

_current: ContextVar[Run | None] = ContextVar("scheduler_current_run", default=None)


def current_run() -> Run | None:
    """Return the run whose job function is calling, or None outside of one."""
    return _current.get()


def run(run: Run, now: Callable[[], datetime], capture: Capture | None = None) -> Result:
    """Call the job function once and describe how it ended.

    Raises nothing, whatever the function does. The function has a context of its own (language,
    time zone, decimal context, context variables), and its thread and the connections are brought
    back after it.

    Args:
        run: what to call.
        now: the cluster's clock.
        capture: what takes the output and knows the run's secrets; None: one of its own.
    """
    result = Result(run.id, Status.SUCCEEDED, started_at=now())
    capture = capture or Capture(conf().MAX_LOG_CHARS, SecretTexts(run))
    guard, state = ConnectionGuard(), ThreadState()
    with capture:
        copy_context().run(_execute, run, result, capture.secrets)
        result.log = clean(capture.text())
    state.put_back()
    if left_open := guard.release():
        _fail_for_open_transaction(result, left_open)
    if run.cancel_requested and result.status is Status.FAILED:
        result.status, result.reason = Status.CANCELLED, "ended after a request to cancel it"
    result.finished_at = now()
    return result


def clean(text: str) -> str:
    """Return the text without what a database refuses: NUL and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def dump_result(value: Any, secrets: Collection[str] = ()) -> str:
    """Return the value as JSON; one that JSON cannot carry becomes its repr and fails no run."""
    return serialization.dumps_result(
        value, conf().MAX_RESULT_CHARS, lambda text, at: cut_before(text, at, secrets)
    )


def _execute(run: Run, result: Result, secrets: Collection[str]) -> None:
    _current.set(run)
    process = os.getpid()
    try:
        result.value = _call(run)
        if os.getpid() == process:
            result.return_value = _keep(result.value, run, secrets)
    except BaseException as error:
        _fail(result, error, secrets)
    if os.getpid() != process:
        _end_fork(result)


def _call(run: Run) -> Any:
    function = references.resolve(run.func)
    args, kwargs = serialization.loads_args(run.args), serialization.loads_kwargs(run.kwargs)
    if getattr(function, "takes_context", False):
        from ...tasks import results as task_results

        args = (task_results.context(as_row(run), conf().DATABASE), *args)
    value = promises.awaited(function(*args, **kwargs))
    if not run.task_backend:  # a task's is refused by its JSON, in the words of the Tasks API
        promises.refuse_promise(value)
    return value


def _keep(value: Any, run: Run, secrets: Collection[str]) -> str:
    """Return the value as JSON: of a task whole, since whoever enqueued it may ask for it.

    Raises:
        TypeError, ValueError: a task returned what JSON cannot carry, which fails it in every
            backend of the Tasks API.
    """
    if not run.task_backend:
        return dump_result(value, secrets)
    from ...tasks import arguments

    return arguments.dump_result(value)


def as_row(run: Run, result: Result | None = None) -> Execution:
    """Return the row as this process knows it; Django loads other columns when they are read."""
    known = {name: getattr(run, name) for name in COLUMNS} | {"status": Status.RUNNING}
    known |= dict.fromkeys(OUTCOME[1:], "") | {"finished_at": None, "started_at": run.started_at}
    if result is not None:
        known |= {name: getattr(result, name) for name in OUTCOME}
    names = dict.fromkeys(f.attname for f in Execution._meta.concrete_fields if f.attname in known)
    # A mapping, as Django asks of each column whether its name is among them.
    return Execution.from_db(conf().DATABASE, names, [known[name] for name in names])


def _end_fork(result: Result) -> None:
    """End the copy of this process that ``os.fork()`` made and the function did not end.

    It must not go on as a second scheduler, on the same connections.
    """
    if result.traceback:
        print(result.traceback, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    code = getattr(result.error, "code", 1) if result.error is not None else 0
    os._exit(code if isinstance(code, int) else int(code is not None))


def _fail(result: Result, error: BaseException, secrets: Collection[str]) -> None:
    """Write what the function raised into the result.

    ``SystemExit`` and ``KeyboardInterrupt`` of a function end it, not the scheduler.
    """
    result.status, result.error = Status.FAILED, error
    result.exception = shorten(clean(_describe(error)), MAX_EXCEPTION_CHARS, secrets)
    result.exception_class = f"{type(error).__module__}.{type(error).__qualname__}"[:255]
    try:
        text = clean("".join(tracebacks.format_exception(error)))
        result.traceback = shorten(text, conf().MAX_LOG_CHARS, secrets)
    except BaseException as broken:  # an exception whose own __str__ raises
        result.traceback = f"(the traceback could not be written: {type(broken).__name__})"


def _fail_for_open_transaction(result: Result, aliases: list[str]) -> None:
    """Fail a run whose function left a transaction open: what it did is rolled back."""
    where = ", ".join(map(repr, aliases))
    result.reason = f"it left a transaction open on the database {where}: rolled back"
    if result.status is Status.SUCCEEDED:
        result.status = Status.FAILED
        result.exception = f"RuntimeError: {result.reason}"


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # its own __str__ may raise anything
        return type(error).__name__
