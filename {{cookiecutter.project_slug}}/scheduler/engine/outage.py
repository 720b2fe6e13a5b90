"""Ride out a database outage: drop the connection, back off, report what is wrong."""

from __future__ import annotations

import logging

from ..db.clock import monotonic
from ..db.connection import LoopConnection
from ..db.errors import is_outage
from ..db.file import DatabaseReplaced

logger = logging.getLogger("scheduler.outage")

MIN_RETRY, MAX_RETRY = 0.1, 1.0
"""Seconds between attempts: short, since a standby must be back within two seconds."""
CALM_SECONDS = 5.0
"""Seconds of good turns after which a failure is a new outage. On a full disk, or a server that
takes no writes, every other turn may succeed: that is one outage, and not a log line a second."""


class Outage:
    """The time from the first failed turn to the first good one."""

    def __init__(self, connection: LoopConnection) -> None:
        self._connection = connection
        self._delay = MIN_RETRY
        self._began = 0.0
        self._ended: float | None = None
        self._flickers = False
        """Whether it came back before the last one was over for long."""
        self._logged = ""
        self.given_back = 0
        """Runs that returned to the queue, their start being in doubt."""
        self.since: float | None = None
        self.last_error = ""
        self.of_database = False

    def begin(self, error: Exception) -> float:
        """Note a failed turn and drop the connection, which is the usual cause.

        Returns:
            Seconds to wait before the next attempt.
        """
        if self.since is None:
            self.since = monotonic()
            self._flickers = self._ended is not None and self.since - self._ended < CALM_SECONDS
            if not self._flickers:
                self._began, self._logged = self.since, ""
        self.of_database = is_outage(error) or isinstance(error, DatabaseReplaced)
        self.last_error = f"{type(error).__name__}: {error}"[:500]
        self._log(error)
        try:
            self._connection.close()
        except Exception:
            logger.debug("Closing a broken connection failed", exc_info=True)
        delay, self._delay = self._delay, min(self._delay * 2, MAX_RETRY)
        return delay

    def succeeded(self) -> None:
        """Note that a whole turn succeeded, writes included."""
        if self.since is not None:
            self.since, self._ended = None, monotonic()
            self._delay, self.last_error = MIN_RETRY, ""
            if not self._flickers:
                self._log_end()
        elif (
            self._flickers and self._ended is not None and monotonic() - self._ended >= CALM_SECONDS
        ):
            self._log_end()

    def _log(self, error: Exception) -> None:
        """Log once for each outage, and once for each other error that one brings along."""
        if self.of_database and not self._logged:
            logger.warning("A turn failed, trying again: %s", error)
        elif not self.of_database and self._logged != self.last_error:
            logger.error("A turn failed, trying again", exc_info=error)
        else:
            return
        self._logged = self.last_error

    def _log_end(self) -> None:
        self._flickers = False
        logger.warning(
            "Turning again after %.1f s; %d runs returned to the queue",
            (self._ended or 0.0) - self._began,
            self.given_back,
        )
        self.given_back = 0
