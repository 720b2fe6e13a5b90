"""Capture what a job function logs and prints, although several share the process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from contextvars import ContextVar
from types import MethodType
from typing import Any, TextIO

from ...credentials import credentials_of_project, without
from .cut import Shortened

_target: ContextVar[Capture | None] = ContextVar("scheduler_capture", default=None)
_logging: ContextVar[bool] = ContextVar("scheduler_capture_logging", default=False)
"""Whether a record that is captured already is on its way to its handlers."""
_installing = threading.Lock()
_installed = False
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
        _install()
        self._token = _target.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _target.reset(self._token)

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

    A stream that is closed, or whose reader is gone, fails no job.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        shown = text
        if (target := _target.get()) is not None and not _logging.get():
            target.write(text)
            shown = without(target.credentials, text)
        with suppress(OSError, ValueError):
            self.stream.write(shown)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _install() -> None:
    """Replace the streams again before each run: a project may have replaced them since."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Tee):
            setattr(sys, name, _Tee(stream))
    global _installed
    with _installing:
        if not _installed:
            _capture_records()
            _follow_threads()
            os.register_at_fork(after_in_child=_stop_capturing)
            _installed = True


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


def _stop_capturing() -> None:
    """Capture nothing in a forked child.

    Another thread of the parent may have held the lock of a capture.
    """
    global _target
    _target = ContextVar("scheduler_capture", default=None)
