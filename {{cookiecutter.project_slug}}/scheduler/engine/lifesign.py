"""The loop's sign of life, for systemd and for probes that must not import Django.

It is given by the loop itself, never by a helper thread, which would go on when the loop hangs.
A turn that failed because the database is away counts as life: a restart brings no database back,
and it would lose the runs that are still going on. Any other failing turn does not count, so that
a process that cannot help itself is started anew.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils import timezone

from ..conf import conf
from ..models.node import Role
from .clock import monotonic
from .sdnotify import Systemd

if TYPE_CHECKING:
    from .loop import Loop

logger = logging.getLogger("scheduler.lifesign")

EVERY = 1.0
"""Seconds between two signs; a watchdog that is shorter than three of them gets them sooner."""


class LifeSign:
    """``turned`` after each turn, ``stopping`` once. Neither raises nor blocks."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._systemd = Systemd()
        self._file = Path(conf().HEARTBEAT_FILE) if conf().HEARTBEAT_FILE else None
        self._every = min(EVERY, (self._systemd.watchdog or 3 * EVERY) / 3)
        self._due = 0.0
        self._said = ""
        self._cannot_write = ""

    def turned(self) -> None:
        """READY after the first turn, as leader or standby; then STATUS and WATCHDOG."""
        if monotonic() < self._due:
            return
        self._due = monotonic() + self._every
        status, alive = self._status()
        words = [] if self._said else ["READY=1"]
        if status != self._said:
            words.append(f"STATUS={status}")
        if alive and self._systemd.watchdog:
            words.append("WATCHDOG=1")
        self._said = status
        if words:
            self._systemd.notify(*words)
        if alive and self._file:
            self._touch(self._file, status)

    def stopping(self) -> None:
        """From here on systemd counts ``TimeoutStopSec``, and the watchdog rests."""
        self._systemd.notify("STOPPING=1", "STATUS=handing over, waiting for running jobs")

    def _status(self) -> tuple[str, bool]:
        """What to say, and whether it is a sign of life."""
        outage = self._loop.outage
        error = outage.last_error.partition("\n")[0]
        if error and outage.of_database:
            return f"waiting for the database: {error}", True
        if error:
            return f"turns fail: {error}", False
        if self._loop.role is not Role.LEADER:
            return str(self._loop.role), True
        return f"leader term {self._loop.lease.term}, {self._next()}", True

    def _next(self) -> str:
        leader = self._loop.leader
        if leader is None or leader.next_due is None:
            return "nothing scheduled"
        at = leader.next_due
        with suppress(OverflowError):  # in the last hours of the year 9999, for "never"
            at = timezone.localtime(at)
        return f"next {at:%Y-%m-%d %H:%M:%S %Z}"

    def _touch(self, path: Path, status: str) -> None:
        """Goes on trying: a disk that was full for a second must not let a probe kill us."""
        trouble = ""
        try:
            path.write_text(status + "\n")
        except OSError as error:
            trouble = str(error)
        if trouble and trouble != self._cannot_write:
            logger.error("APSCHEDULER_HEARTBEAT_FILE cannot be written: %s", trouble)
        elif self._cannot_write and not trouble:
            logger.warning("APSCHEDULER_HEARTBEAT_FILE is written again")
        self._cannot_write = trouble
