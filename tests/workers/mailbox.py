"""A broker in the test's hands: it keeps every message, refuses them, or is silent."""

from __future__ import annotations

import threading

from scheduler.engine.executors.runner import Run

PATIENCE = 60.0


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[tuple[int, int]] = []
        self.refuses = False
        self.silent = threading.Event()
        self.silent.set()
        self.attempts = 0
        self._came = threading.Condition()

    def send(self, run: Run) -> None:
        self.silent.wait(PATIENCE)
        with self._came:
            self.attempts += 1
            self._came.notify_all()
            if self.refuses:
                raise ConnectionRefusedError("no broker at host:6379")
            self.messages.append((run.id, run.publication))

    def close(self) -> None:
        pass

    def wait(self, count: int = 1) -> list[tuple[int, int]]:
        """All messages, once there are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.messages) >= count, PATIENCE), self.messages
            return list(self.messages)

    def wait_for_attempts(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: self.attempts >= count, PATIENCE), self.attempts
