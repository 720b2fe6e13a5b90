"""Capture what a job function logs and prints, although several share the process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from types import MethodType
from typing import Any, TextIO

from ...credentials import credentials_of_project, without
from .cut import Shortened

_target: ContextVar[Capture | None] = ContextVar("scheduler_capture", default=None)
_logging: ContextVar[bool] = ContextVar("scheduler_capture_logging", default=False)
"""Whether a record that is captured already is on its way to its handlers."""
_passing: ContextVar[bool] = ContextVar("scheduler_capture_passing", default=False)
"""Whether a text that is captured already is on its way through streams around other streams."""
_installing = threading.Lock()
_installed = False
_running: set[Capture] = set()
"""A set, which needs no lock that all runs would wait for."""
_streams: dict[str, Any] = {}
"""``sys.stdout`` and ``sys.stderr`` as the first of the runs that go on has found them."""
_formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class Capture:
    """Collects the log records and prints of the current context, bounded.

    Threads that the function starts belong to it. ``sys.stdout`` and ``sys.stderr`` are replaced
    once for the process by a tee that also writes where they wrote before.
    """

    def __init__(
        self,
        limit: int,
        secrets: Collection[str] = (),
        forward: Callable[[str], None] | None = None,
    ) -> None:
        """Begin with no text.

        Args:
            limit: characters that are kept; the middle of a longer text is cut.
            secrets: texts of the run that are masked later; no cut may go through one.
            forward: is called with each piece as it is written, in the writing thread.
        """
        self.secrets = secrets
        self.credentials = credentials_of_project()
        self._kept = Shortened(limit, secrets)
        self._forward = forward
        self._lock = threading.Lock()

    def __enter__(self) -> Capture:
        _running.add(self)
        _install()
        self._token = _target.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _target.reset(self._token)
        _running.discard(self)
        _put_back()

    def write(self, text: str) -> None:
        """Append the text; any thread may."""
        with self._lock:
            self._kept.write(text)
            if self._forward is not None:
                self._forward(text)

    def text(self) -> str:
        """Return what was captured until now; any thread may."""
        with self._lock:
            return self._kept.text()


class _Tee:
    """No stream by inheritance: what is not defined here is the real stream's (``fileno`` ...).

    A stream that is closed, or whose reader is gone, fails no job. No job closes or detaches the
    real one, which belongs to the scheduler and its log.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def buffer(self) -> Any:
        """Return the stream of bytes below, captured as well."""
        return _BytesTee(self)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        return self.take(text, self.stream.write)

    def take(self, text: str, pass_on: Callable[[str], Any]) -> int:
        """Capture the text, and pass it on."""
        shown = text
        target = _target.get()
        if target is not None and not (_logging.get() or _passing.get()):
            target.write(text)
            shown = without(target.credentials, text)
        token = _passing.set(True)
        try:
            with suppress(OSError, ValueError):
                pass_on(shown)
        finally:
            _passing.reset(token)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.stream.flush()

    def close(self) -> None:
        """Do no more than flush."""
        self.flush()

    def detach(self) -> Any:
        """Return ``buffer``, and stay attached."""
        return self.buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _BytesTee:
    """``sys.stdout.buffer``: what is written there is captured as text."""

    def __init__(self, tee: _Tee) -> None:
        self._tee = tee
        self._stream = tee.stream.buffer

    def write(self, data: Any) -> int:
        raw = bytes(data)
        text = raw.decode(getattr(self._tee.stream, "encoding", None) or "utf-8", "replace")

        def pass_on(shown: str) -> None:
            self._tee.flush()  # what was printed before stands before
            self._stream.write(raw if shown == text else shown.encode("utf-8", "replace"))

        self._tee.take(text, pass_on)
        return len(raw)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def close(self) -> None:
        """Do no more than flush: a text stream around this one closes it when it is forgotten."""
        self.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _install() -> None:
    """Replace the streams again before each run: a project may have replaced them since."""
    global _installed
    if _installed and _are_in_place():
        return
    with _installing:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                stream = _streams.get(name, stream)  # another run has done that
            if stream is not None and not isinstance(stream, _Tee):
                stream = _Tee(stream)
            if len(_running) == 1:
                _streams[name] = stream
            setattr(sys, name, stream)
        if not _installed:
            _capture_records()
            _follow_threads()
            os.register_at_fork(after_in_child=_stop_capturing)
            _installed = True


def _put_back() -> None:
    """Put the streams back that a run has replaced, once no other run may be using them."""
    if _running or _are_in_place():
        return
    with _installing:
        for name, stream in _streams.items() if not _running else ():
            setattr(sys, name, stream)


def _are_in_place() -> bool:
    return bool(_streams) and all(getattr(sys, name) is each for name, each in _streams.items())


def _capture_records() -> None:
    """Take each record where its logger hands it out.

    A handler of the root logger would miss loggers that do not propagate and be lost with
    ``basicConfig(force=True)``; and a project's own handler that writes to the tee would capture
    each record a second time.
    """
    call_handlers = logging.Logger.callHandlers

    def capture(logger: logging.Logger, record: logging.LogRecord) -> None:
        if (target := _target.get()) is None:
            return call_handlers(logger, record)
        with suppress(Exception):  # a record that cannot be formatted: its handlers say so
            target.write(_formatter.format(record) + "\n")
        token = _logging.set(True)
        try:
            return call_handlers(logger, record)
        finally:
            _logging.reset(token)

    logging.Logger.callHandlers = capture  # type: ignore[method-assign,assignment]
    handle = logging.Handler.handle

    def handle_captured(handler: logging.Handler, record: logging.LogRecord) -> Any:
        """Also in a thread of the function, to which a queue has brought the record."""
        if _target.get() is None or _logging.get():
            return handle(handler, record)
        token = _logging.set(True)
        try:
            return handle(handler, record)
        finally:
            _logging.reset(token)

    logging.Handler.handle = handle_captured  # type: ignore[method-assign,assignment]


def _follow_threads() -> None:
    """Let a thread write into the capture of the run that starts it."""
    start = threading.Thread.start

    def start_captured(thread: threading.Thread) -> None:
        if (target := _target.get()) is not None:
            body = thread.run

            def run(_: threading.Thread) -> None:
                _target.set(target)
                body()

            # A method, as Thread.run is: Sentry takes its function, and hands that the thread.
            thread.run = MethodType(run, thread)  # type: ignore[method-assign]
        start(thread)

    threading.Thread.start = start_captured  # type: ignore[method-assign,assignment]
    submit = ThreadPoolExecutor.submit

    def submit_captured(
        pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Capture for whoever submits: a pool may outlive the run that has started its threads."""
        if (target := _target.get()) is None:
            return submit(pool, fn, *args, **kwargs)

        def call(*args: Any, **kwargs: Any) -> Any:
            token = _target.set(target)
            try:
                return fn(*args, **kwargs)
            finally:
                _target.reset(token)

        return submit(pool, call, *args, **kwargs)

    ThreadPoolExecutor.submit = submit_captured  # type: ignore[method-assign,assignment]


def _stop_capturing() -> None:
    """Capture nothing in a forked child.

    Another thread of the parent may have held the lock of a capture.
    """
    global _target
    _target = ContextVar("scheduler_capture", default=None)
    _running.clear()
