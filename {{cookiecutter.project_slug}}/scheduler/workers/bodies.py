"""The job functions that run in a worker: called in the thread that got the message."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ..conf import conf
from ..db.clock import monotonic
from ..engine.executors.capture import Capture
from ..engine.executors.protocol import Deliver
from ..engine.executors.runner import Result, Run, clean, run
from ..engine.executors.surroundings import shared_home
from ..masking import SecretTexts


class Bodies:
    """An executor whose ``submit`` returns when the body has ended; any thread may call it."""

    slots = 1
    ahead = 0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captures: dict[int, Capture] = {}
        self._running: dict[int, tuple[Run, float | None]] = {}
        """By execution, each with the moment of ``monotonic`` at which its time is over."""

    def connect(
        self, deliver: Deliver, trusted: Callable[[int], bool], now: Callable[[], datetime]
    ) -> None:
        """See ``Executor.connect``. Whether a run may begin is the worker's to say."""
        self._deliver, self._now = deliver, now

    def submit(self, run: Run) -> None:
        """Call the run's function, and deliver its result."""
        self._deliver(self._result(run))

    def take_back(self, before: datetime | None) -> int:
        """Return 0: no run waits here."""
        return 0

    def keep_alive(self, until: float) -> None:
        """Do nothing: the worker looks at its own age."""

    def output(self, id: int) -> str:
        """See ``Executor.output``."""
        return clean(capture.text()) if (capture := self._captures.get(id)) else ""

    def cancel(self, id: int) -> None:
        """Set ``current_run().cancel_requested``: a thread cannot be ended from outside."""
        if (found := self._running.get(id)) is not None:
            found[0].cancel_requested = True

    def end_bodies(self) -> None:
        """Do nothing: bodies end with their process."""

    def shutdown(self, wait: bool = True) -> None:
        """Do nothing: whoever brings the messages brings no more."""

    def end(self, id: int) -> bool:
        """Take the run from its body: of the body that ends and who wants to end it, one gets it.

        Returns:
            Whether the caller is the one.
        """
        with self._lock:
            return self._running.pop(id, None) is not None

    def late(self) -> list[int]:
        """Return the runs that have lasted longer than their timeout."""
        with self._lock:
            return [id for id, (_, at) in self._running.items() if at and monotonic() >= at]

    def forget(self, id: int) -> None:
        """Drop the output of a run whose outcome is written."""
        self._captures.pop(id, None)

    def _result(self, taken: Run) -> Result:
        capture = Capture(conf().MAX_LOG_CHARS, SecretTexts(taken))
        until = None if taken.timeout is None else monotonic() + taken.timeout
        with self._lock:
            self._captures[taken.id], self._running[taken.id] = capture, (taken, until)
        with shared_home():
            result = run(taken, self._now, capture)
        if not self.end(taken.id):
            threading.Event().wait()  # its process is about to be ended: this result is too late
        return result
