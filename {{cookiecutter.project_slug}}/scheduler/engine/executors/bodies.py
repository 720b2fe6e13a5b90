"""Execute runs in a worker process, and send their output while they go on."""

from __future__ import annotations

import signal
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from ...conf import conf
from ...db.clock import ClusterClock, monotonic
from ...masking import SecretTexts
from ...models.execution import Status
from .capture import Capture
from .forks import guard_forks, leave_to_parent
from .output import Output
from .runner import Result, Run, run


class Bodies:
    """Executes one run after another."""

    def __init__(self, channel: Connection) -> None:
        self._output = Output(channel)
        guard_forks([signal.SIGTERM])
        leave_to_parent(self._output)
        with Capture(1):
            pass  # the streams are replaced before anybody looks whether a run replaced them

    def execute(
        self, columns: dict[str, Any], trusted_until: float, began: datetime, at: float
    ) -> Result:
        """Call the job function, unless the scheduler may have lost the lease meanwhile.

        Args:
            columns: the values of ``Run`` by name.
            trusted_until: moment of ``monotonic`` until which runs may start.
            began: the cluster's time ...
            at: ... at this moment of ``monotonic``, which is the same clock in both processes.
        """
        taken = Run(**columns)
        if monotonic() >= trusted_until:
            return Result(taken.id, Status.QUEUED)
        clock = ClusterClock()
        clock.set(began, at)
        secrets = SecretTexts(taken)
        self._output.begin(secrets)
        capture = Capture(conf().MAX_LOG_CHARS, secrets, self._output.write)
        result = run(taken, clock.now, capture)
        # Exceptions and values of a project may refuse to be pickled; their text is in the result.
        result.error = result.value = None
        return result

    def send(self, *message: Any) -> None:
        """Send a message, after the output that waits.

        Raises:
            OSError: the scheduler is gone.
        """
        self._output.flush()
        self._output.send(message)

    def flush(self) -> None:
        """Send the output that waits; called by another thread."""
        self._output.flush()
