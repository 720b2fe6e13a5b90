"""What a body logs and prints, kept with its execution, although bodies share the process."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, TextIO

_target: ContextVar[Capture | None] = ContextVar("scheduler_capture", default=None)


class Capture:
    """Collects the records and prints of the current context (thread or task), bounded.

    ``sys.stdout`` and ``sys.stderr`` are replaced once for the process by a tee that also writes
    where they wrote before; other threads are not affected.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = io.StringIO()
        self._tail = ""
        self._cut = 0

    def __enter__(self) -> Capture:
        _install()
        self._token = _target.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _target.reset(self._token)

    def write(self, text: str) -> None:
        """Keep the first and the last half of the limit; count what is cut between them."""
        half = self._limit // 2
        room = half - self._head.tell()
        if room > 0:
            self._head.write(text[:room])
            text = text[room:]
        self._tail += text
        if len(self._tail) > self._limit:
            self._cut += len(self._tail) - half
            self._tail = self._tail[len(self._tail) - half :]

    def text(self) -> str:
        half = self._limit // 2
        cut, tail = self._cut, self._tail
        if len(tail) > half:
            cut, tail = cut + len(tail) - half, tail[len(tail) - half :]
        middle = f"\n... {cut} characters cut ...\n" if cut else ""
        return self._head.getvalue() + middle + tail


class _Tee:
    """No stream by inheritance: what is not defined here is the real stream's (``fileno`` ...)."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if (target := _target.get()) is not None:
            target.write(text)
        return self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Handler(logging.Handler):
    """Puts the records of the current context into its capture."""

    def emit(self, record: logging.LogRecord) -> None:
        if (target := _target.get()) is None:
            return
        try:
            target.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


_handler = _Handler()
_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def _install() -> None:
    """Idempotent, and repeated before each body: a project may configure logging at any time."""
    root = logging.getLogger()
    if _handler not in root.handlers:
        root.addHandler(_handler)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Tee):
            setattr(sys, name, _Tee(stream))
