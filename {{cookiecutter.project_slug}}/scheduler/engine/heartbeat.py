"""Send the heartbeat of a scheduler process to systemd and to probes that do not import Django.

The loop itself sends it, never a helper thread, which would go on while the loop hangs. A turn
that failed because the database is away counts as alive: a restart brings no database back and
would lose the runs in progress. Any other failing turn does not count, so that a process that
cannot recover by itself is restarted.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from ..conf import conf
from ..db.clock import monotonic
from ..models.node import Role
from .outage import Outage
from .sdnotify import Systemd

logger = logging.getLogger("scheduler.lifesign")

HEARTBEAT_INTERVAL = 1.0
"""Seconds between two heartbeats; a watchdog shorter than three of them gets them sooner."""


class Heartbeat:
    """Sends a heartbeat after each turn. No method raises or blocks."""

    def __init__(self) -> None:
        self._systemd = Systemd()
        self._file = Path(conf().HEARTBEAT_FILE) if conf().HEARTBEAT_FILE else None
        self._interval = min(
            HEARTBEAT_INTERVAL, (self._systemd.watchdog or 3 * HEARTBEAT_INTERVAL) / 3
        )
        self._next_at = 0.0
        self._sent_status = ""
        self._write_error = ""

    def turned(self, role: Role, term: int, next_due: datetime | None, outage: Outage) -> None:
        """Send READY after the first turn, as leader or standby; then STATUS and WATCHDOG."""
        if monotonic() < self._next_at:
            return
        self._next_at = monotonic() + self._interval
        status, alive = _status(role, term, next_due, outage)
        lines = [] if self._sent_status else ["READY=1"]
        if status != self._sent_status:
            lines.append(f"STATUS={status}")
        if alive and self._systemd.watchdog:
            lines.append("WATCHDOG=1")
        self._sent_status = status
        if lines:
            self._systemd.notify(*lines)
        if alive and self._file:
            self._touch(self._file, status)

    def stopping(self) -> None:
        """Send STOPPING: from here on ``TimeoutStopSec`` applies and the watchdog does not."""
        self._systemd.notify("STOPPING=1", "STATUS=handing over, waiting for running jobs")

    def _touch(self, path: Path, status: str) -> None:
        """Write the status, and try again after an error: a full disk must not end the process."""
        error_text = ""
        try:
            path.write_text(status + "\n")
        except OSError as error:
            error_text = str(error)
        if error_text and error_text != self._write_error:
            logger.error("APSCHEDULER_HEARTBEAT_FILE cannot be written: %s", error_text)
        elif self._write_error and not error_text:
            logger.warning("APSCHEDULER_HEARTBEAT_FILE is written again")
        self._write_error = error_text


def _status(role: Role, term: int, next_due: datetime | None, outage: Outage) -> tuple[str, bool]:
    """Return the status line, and whether the process counts as alive."""
    error = outage.last_error.partition("\n")[0]
    if error and outage.of_database:
        return f"waiting for the database: {error}", True
    if error:
        return f"turns fail: {error}", False
    if role is not Role.LEADER:
        return str(role), True
    return f"leader term {term}, {_next(next_due)}", True


def _next(at: datetime | None) -> str:
    if at is None:
        return "nothing scheduled"
    with suppress(OverflowError):  # in the last hours of the year 9999, for "never"
        at = timezone.localtime(at)
    return f"next {at:%Y-%m-%d %H:%M:%S %Z}"
