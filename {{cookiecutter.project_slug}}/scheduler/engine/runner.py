"""What surrounds a job's body: connections, context, captured output, the outcome.

Runs in a worker thread or process and never touches the scheduler's tables.
"""

from __future__ import annotations

import inspect
import logging
import traceback as tracebacks
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync

from .. import functions, serialization
from ..conf import conf
from ..models.execution import Status
from ..models.policies import OnLost
from .capture import Capture
from .connection import close_old_connections

logger = logging.getLogger("scheduler.runner")

NIL = UUID(int=0)


@dataclass(slots=True)
class Run:
    """A started execution. What a body may know about itself: ``current_run()``."""

    id: int
    job_id: str
    scheduled_run_time: datetime | None
    attempt: int
    term: int
    """Grows with every change of leader: hand it to a resource that can refuse older ones."""
    func: str = field(repr=False)
    args: str = field(repr=False)
    kwargs: str = field(repr=False)
    timeout: float | None = None
    job_name: str = ""
    job_uid: UUID = field(default=NIL, repr=False)
    due_at: datetime | None = field(default=None, repr=False)
    executor: str = field(default="default", repr=False)
    max_instances: int = field(default=1, repr=False)
    max_retries: int = field(default=0, repr=False)
    on_lost: str = field(default=OnLost.FAIL, repr=False)
    warn_after: float | None = field(default=None, repr=False)
    sensitive: str = field(default="[]", repr=False)
    started_at: datetime | None = field(default=None, repr=False)
    cancel_requested: bool = False
    """Somebody asked this run to stop; a thread can only be asked."""


COLUMNS = tuple(name for name in Run.__slots__ if name != "cancel_requested")
"""Of the execution's row, in the order in which ``Run`` takes them."""


@dataclass
class Result:
    """How a run ended. ``status`` is ``queued`` when its body was not started after all."""

    id: int
    status: Status
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exception: str = ""
    traceback: str = ""
    log: str = ""
    return_value: str = ""
    reason: str = ""
    error: BaseException | None = None
    """The exception itself, for APScheduler's listeners; None when it was raised elsewhere."""
    value: Any = None


OUTCOME = ("status", "started_at", "finished_at", "exception", "traceback", "log", "return_value",
           "reason")  # fmt: skip
"""What of a result the execution's row keeps."""

_current: ContextVar[Run | None] = ContextVar("scheduler_current_run", default=None)


def current_run() -> Run | None:
    """The run whose body is calling, or None outside of one."""
    return _current.get()


def run(run: Run, now: Callable[[], datetime]) -> Result:
    """Call the body once and describe how it ended. Raises nothing, whatever the body does."""
    result = Result(run.id, Status.SUCCEEDED, started_at=now())
    token = _current.set(run)
    close_old_connections()
    try:
        with Capture(conf().MAX_LOG_CHARS) as captured:
            try:
                result.value = _call(run)
                result.return_value = keep(result.value)
            except BaseException as error:
                _fail(result, error)
        result.log = clean(captured.text())
    finally:
        close_old_connections()
        _current.reset(token)
    if run.cancel_requested and result.status is Status.FAILED:
        result.status, result.reason = Status.CANCELLED, "ended after a request to cancel it"
    result.finished_at = now()
    return result


def clean(text: str) -> str:
    """Text that every database stores: no NUL, no lone surrogate."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _call(run: Run) -> Any:
    function = functions.resolve(run.func)
    args, kwargs = serialization.loads_args(run.args), serialization.loads_kwargs(run.kwargs)
    value = function(*args, **kwargs)
    if inspect.iscoroutine(value):
        # Not asyncio.run: there the ORM works in one thread of all bodies, whose connection nobody
        # closes when it breaks. Here it works in this one.
        return async_to_sync(_awaited)(value)
    return value


async def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine


def keep(value: Any) -> str:
    """A result that JSON cannot carry is kept as its text: it is no failure of the run."""
    return serialization.dumps_result(value, conf().MAX_RESULT_CHARS)


def _fail(result: Result, error: BaseException) -> None:
    """``SystemExit`` and ``KeyboardInterrupt`` of a body end the body, not the scheduler."""
    result.status, result.error = Status.FAILED, error
    result.exception = clean(_describe(error))
    try:
        result.traceback = clean("".join(tracebacks.format_exception(error)))
    except Exception as broken:  # an exception whose own __str__ raises
        result.traceback = f"(the traceback could not be written: {type(broken).__name__})"


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__
