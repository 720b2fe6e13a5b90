"""Send the output of a run from its worker process to the scheduler, as it is written.

Nothing here is a model: the worker process imports it before Django is set up.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from ...conf import conf
from .cut import Shortened

READY, OUTPUT, DONE = "ready", "output", "done"
"""Kinds of messages: ``(READY,)``, ``(OUTPUT, text)`` and ``(DONE, result, reusable)``."""


class Output:
    """Sends the first half of the limit at once, and of the rest what is kept, bit by bit.

    So what a run printed is known however it ends, and a flood costs the scheduler little.
    """

    def __init__(self, channel: Connection) -> None:
        self._channel = channel
        self._lock = threading.RLock()
        self.begin(())

    def descriptors(self) -> list[int]:
        """Return what a fork must not write into."""
        return [self._channel.fileno()]

    def begin(self, secrets: Any) -> None:
        """Start anew, for the next run."""
        self._limit, self._secrets = conf().MAX_LOG_CHARS, secrets
        self._at_once = self._limit // 2
        self._waiting: Shortened | None = None

    def write(self, text: str) -> None:
        """Send the text, or keep it for the next ``flush``."""
        with self._lock:
            if self._at_once > 0:
                self._at_once -= len(text)
                self._send(text)
            else:
                self._waiting = self._waiting or Shortened(self._limit, self._secrets)
                self._waiting.write(text)

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            if self._waiting is not None:
                self._send(self._waiting.text())
                self._waiting = None

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a message; raises OSError when the scheduler is gone."""
        with self._lock:
            self._channel.send(message)

    def _send(self, text: str) -> None:
        with suppress(OSError):  # this process is about to end as well
            self._channel.send((OUTPUT, text))
