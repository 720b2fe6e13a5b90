"""``sd_notify(3)``: one datagram to systemd. Where there is no systemd, nothing happens."""

from __future__ import annotations

import logging
import os
import socket

logger = logging.getLogger("scheduler.sdnotify")


class Systemd:
    """Whoever started this process and asked, by its environment, to be told how it fares."""

    def __init__(self) -> None:
        # Taken out: what a job starts must not speak for the scheduler.
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog = self._read_watchdog() if address else None
        """Seconds of silence after which systemd ends this process; None: it does not watch."""

    def notify(self, *lines: str) -> bool:
        """Send assignments such as ``READY=1``. Never raises. False: nobody listens."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A full queue must not hold up the loop: the next sign of life is a second away.
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            logger.warning("systemd does not hear us: %s", error)
            return False
        return True

    def _read_watchdog(self) -> float | None:
        """``WATCHDOG_USEC`` counts only for the process that ``WATCHDOG_PID`` names, if any."""
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        pid = os.environ.pop("WATCHDOG_PID", "")
        if not microseconds.isdigit() or pid not in ("", str(os.getpid())):
            return None
        return int(microseconds) / 1_000_000
