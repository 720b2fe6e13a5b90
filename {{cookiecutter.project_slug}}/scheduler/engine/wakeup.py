"""Wake the loop: by time, results, signals and, on PostgreSQL, notifications of commits."""

from __future__ import annotations

import logging
import math
import os
import select
from typing import Any

from django.db import connections
from django.db.utils import Error as DatabaseError

from ..db.clock import monotonic
from ..db.notify import CHANNEL, announce
from .executors.forks import leave_to_parent

logger = logging.getLogger("scheduler.wakeup")

RECONNECT_INTERVAL = 2.0
"""Seconds between attempts to open the listening connection again."""
PING_INTERVAL = 30.0
"""Seconds between self-tests of the listening connection."""
ECHO_TIMEOUT = 5.0
"""Seconds after which a ping that did not arrive means that LISTEN receives nothing."""


class Wakeup:
    """Wakes the loop from any thread or signal handler.

    ``wait`` returns at once after ``set`` or ``nudge``. A pipe, not a ``threading.Event``: an
    Event's lock, taken by a signal handler that interrupts its holder, hangs for ever; a byte in a
    pipe cannot.
    """

    def __init__(self) -> None:
        self._read, self.fd = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self.fd, False)
        self._is_set = False
        self._dirty = True
        self._closed = False
        leave_to_parent(self)

    def set(self) -> None:
        """Wake the loop and set its dirty flag: the tables may have changed."""
        self._dirty = True
        self.nudge()

    def nudge(self) -> None:
        """Wake the loop without the dirty flag: a result arrived, which no other process knows."""
        if self._is_set:
            return  # one byte wakes as well as many; writing hands the interpreter to others
        self._is_set = True
        try:
            os.write(self.fd, b"\0")
        except BlockingIOError:
            pass  # full: the sleeper will wake
        except OSError:
            pass  # closed: nobody sleeps any more

    def wait(self, timeout: float, listener: Listener | None = None) -> bool:
        """Sleep for at most ``timeout`` seconds.

        Returns:
            Whether something ended the sleep before.
        """
        watched = select.poll()  # not select(), which refuses descriptors from 1024 on
        watched.register(self._read, select.POLLIN)
        if listener is not None and (socket := listener.socket()) is not None:
            watched.register(socket, select.POLLIN)
        ready = [fd for fd, _ in watched.poll(math.ceil(max(timeout, 0) * 1000))]
        if self._read in ready:
            self._drain()
        if listener is not None and len(ready) > (self._read in ready):
            self._dirty = True
            listener.receive()
        return bool(ready)

    def take_dirty(self) -> bool:
        """Return whether the dirty flag was set, and clear it. Call it before polling."""
        dirty, self._dirty = self._dirty, False
        return dirty

    def close(self) -> None:
        """Close the pipe; ``set`` and ``nudge`` do nothing from then on."""
        self._closed = True
        os.close(self._read)
        os.close(self.fd)

    def descriptors(self) -> list[int]:
        """Return what a fork must not write into: it would wake the loop."""
        return [] if self._closed else [self._read, self.fd]

    def _drain(self) -> None:
        try:
            while len(os.read(self._read, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        # Last: whoever called set() before this line did so before the turn that now begins.
        self._is_set = False


class Listener:
    """Listens on a connection of its own. Without it everything works, a poll interval later.

    Not behind a transaction pooler, which passes the server connection, and with it the LISTEN, to
    the next client. Django's setting for such poolers is ``DISABLE_SERVER_SIDE_CURSORS``.
    """

    def __init__(self, using: str) -> None:
        self._settings = connections[using].settings_dict
        self._connection: Any = None
        self._retry_at = 0.0
        self.possible = connections[using].vendor == "postgresql" and not self._settings.get(
            "DISABLE_SERVER_SIDE_CURSORS"
        )
        self._using = using
        self._wanted = False
        self._failed = False
        self._pinged_at: float | None = None
        self._ping_at = 0.0
        self._receives_nothing = False
        leave_to_parent(self)
        self.latency: float | None = None
        """Seconds from the last ping until the loop received it; None where nothing is received."""

    @property
    def mode(self) -> str:
        """Return ``notify``, or ``poll`` when no notification can arrive."""
        return "poll" if self._connection is None or self._receives_nothing else "notify"

    def ping(self) -> None:
        """Test that what the loop's connection announces arrives here.

        A pooler that hands each transaction another server connection passes a LISTEN and then
        says nothing, for ever.
        """
        now = monotonic()
        if (
            self._pinged_at is not None
            and now - self._pinged_at > ECHO_TIMEOUT
            and not self._receives_nothing
        ):
            self._receives_nothing, self.latency = True, None
            logger.warning(
                "LISTEN receives nothing (a transaction pooler? then set "
                "DISABLE_SERVER_SIDE_CURSORS): polling instead"
            )
        if self._connection is not None and now >= self._ping_at:
            self._ping_at = now + PING_INTERVAL
            self._pinged_at = self._pinged_at or now
            announce(self._using)

    def listen(self, wanted: bool) -> None:
        """Listen for notifications from now on, or no longer: then no connection is held."""
        if self._wanted and not wanted:
            self.close()
            self._retry_at = 0.0
        self._wanted = wanted

    def socket(self) -> int | None:
        """Return the file descriptor to wait on, opening the connection again if it was lost."""
        if not (self.possible and self._wanted):
            return None
        if self._connection is None and monotonic() >= self._retry_at:
            self._open()
        return None if self._connection is None else self._connection.fileno()

    def receive(self) -> None:
        """Receive notifications. A broken connection is noticed here and opened again later."""
        try:
            for _ in self._connection.notifies(timeout=0):
                if self._pinged_at is not None:
                    self.latency = monotonic() - self._pinged_at
                self._pinged_at, self._receives_nothing = None, False
            if self._connection.closed:
                self.close()
        except Exception as error:
            logger.warning("Lost the listening connection, polling meanwhile: %s", error)
            self.close()

    def close(self) -> None:
        """Close the connection; it is opened again after a pause."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self.latency = None
        self._pinged_at, self._ping_at = None, 0.0  # the next connection is tested anew
        self._retry_at = monotonic() + RECONNECT_INTERVAL

    def descriptors(self) -> list[int]:
        """Return what a fork must not read: it would take the notifications."""
        if self._connection is None or self._connection.closed:
            return []
        return [self._connection.fileno()]

    def _open(self) -> None:
        import psycopg

        parameters = connections[self._using].get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            parameters.pop(name, None)
        try:
            # The settings may name these as well.
            parameters |= {"autocommit": True, "connect_timeout": 3, "keepalives_idle": 10}
            self._connection = psycopg.connect(**parameters)
            self._connection.execute(f"LISTEN {CHANNEL}")
            if self._failed:
                logger.info("Listening for notifications again")
            self._failed = False
        except (psycopg.Error, DatabaseError) as error:
            level = logging.DEBUG if self._failed else logging.WARNING  # once, not each attempt
            logger.log(level, "Cannot listen for notifications, polling meanwhile: %s", error)
            self._failed = True
            self.close()
