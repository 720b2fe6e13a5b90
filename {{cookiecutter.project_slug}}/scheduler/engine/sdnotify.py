"""Send ``sd_notify(3)`` datagrams to systemd. Without systemd nothing is sent."""

from __future__ import annotations

import logging
import os
import socket

logger = logging.getLogger("scheduler.sdnotify")


class Systemd:
    """Holds the socket and the watchdog period that systemd put into the environment."""

    def __init__(self) -> None:
        # Removed: a program that a job starts must not notify for the scheduler.
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog = self._read_watchdog() if address else None
        """Seconds without ``WATCHDOG=1`` after which systemd ends this process, or None."""

    def notify(self, *lines: str) -> bool:
        """Send assignments such as ``READY=1``. Never raises.

        Returns:
            Whether they were sent.
        """
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A full queue must not block the loop: the next heartbeat follows within a second.
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            logger.warning("sd_notify failed: %s", error)
            return False
        return True

    def _read_watchdog(self) -> float | None:
        """Read ``WATCHDOG_USEC``, which applies only to the process that ``WATCHDOG_PID`` names."""
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        pid = os.environ.pop("WATCHDOG_PID", "")
        if not microseconds.isdigit() or pid not in ("", str(os.getpid())):
            return None
        return int(microseconds) / 1_000_000
