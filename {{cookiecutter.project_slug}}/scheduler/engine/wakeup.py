"""What the loop sleeps on: time, results, signals, and on PostgreSQL notifications of commits."""

from __future__ import annotations

import logging
import math
import os
import select
from typing import Any

from django.db import connections
from django.db.utils import Error as DatabaseError

from ..notify import CHANNEL, announce
from .clock import monotonic

logger = logging.getLogger("scheduler.wakeup")

RETRY = 2.0
"""Seconds between attempts to open the listening connection again."""
PING_EVERY = 30.0
"""Seconds between self-tests of the listening connection."""
ECHO_WITHIN = 5.0
"""Seconds after which a ping that was not heard means that we are deaf."""


class Wakeup:
    """``wait`` returns at once after ``set`` or ``nudge``, from any thread or signal handler.

    A pipe, not a ``threading.Event``: an Event's lock, taken by a signal handler that interrupts
    its holder, hangs for ever; a byte in a pipe cannot.
    """

    def __init__(self) -> None:
        self._read, self.fd = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self.fd, False)
        self._is_set = False
        self._news = True

    def set(self) -> None:
        """Somebody has news: what was seen before may have changed."""
        self._news = True
        self.nudge()

    def nudge(self) -> None:
        """Wake without news: a result has arrived, which only this process knows."""
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
        """Sleep for at most ``timeout`` seconds. True: somebody woke us."""
        watched = select.poll()  # not select(), which refuses descriptors from 1024 on
        watched.register(self._read, select.POLLIN)
        if listener is not None and (socket := listener.socket()) is not None:
            watched.register(socket, select.POLLIN)
        ready = [fd for fd, _ in watched.poll(math.ceil(max(timeout, 0) * 1000))]
        if self._read in ready:
            self._drain()
        if listener is not None and len(ready) > (self._read in ready):
            self._news = True
            listener.receive()
        return bool(ready)

    def take_news(self) -> bool:
        """Whether there was news since the last call. Call it before looking."""
        news, self._news = self._news, False
        return news

    def close(self) -> None:
        os.close(self._read)
        os.close(self.fd)

    def _drain(self) -> None:
        try:
            while len(os.read(self._read, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        # Last: who called set() meanwhile did so before the turn that now begins.
        self._is_set = False


class Listener:
    """An own connection that LISTENs. Without it everything works, a poll interval later.

    Not behind a transaction pooler: there a LISTEN is heard by whoever gets the server connection
    next. Django's documented mark of such a pooler, ``DISABLE_SERVER_SIDE_CURSORS``, is ours too.
    """

    def __init__(self, using: str) -> None:
        self._settings = connections[using].settings_dict
        self._connection: Any = None
        self._retry_at = 0.0
        self.possible = connections[using].vendor == "postgresql" and not self._settings.get(
            "DISABLE_SERVER_SIDE_CURSORS"
        )
        self._using = using
        self._pinged_at: float | None = None
        self._ping_at = 0.0
        self._deaf = False
        self.latency: float | None = None
        """Seconds from the last ping until the loop heard of it; None where nothing is heard."""

    @property
    def mode(self) -> str:
        """``notify``, or ``poll`` when nothing can be heard."""
        return "poll" if self._connection is None or self._deaf else "notify"

    def ping(self) -> None:
        """Self-test: what the loop's connection announces must arrive here.

        A pooler that hands each transaction another server connection passes a LISTEN and then
        says nothing, for ever.
        """
        now = monotonic()
        if self._pinged_at is not None and now - self._pinged_at > ECHO_WITHIN and not self._deaf:
            self._deaf, self.latency = True, None
            logger.warning("Notifications do not arrive (a transaction pooler?): polling instead")
        if self._connection is not None and now >= self._ping_at:
            self._ping_at = now + PING_EVERY
            self._pinged_at = self._pinged_at or now
            announce(self._using)

    def socket(self) -> int | None:
        """File descriptor to wait on; opens the connection again when it was lost."""
        if not self.possible:
            return None
        if self._connection is None and monotonic() >= self._retry_at:
            self._open()
        return None if self._connection is None else self._connection.fileno()

    def receive(self) -> None:
        """Take what arrived. A broken connection is noticed here and opened again later."""
        try:
            for _ in self._connection.notifies(timeout=0):
                if self._pinged_at is not None:
                    self.latency = monotonic() - self._pinged_at
                self._pinged_at, self._deaf = None, False
            if self._connection.closed:
                self.close()
        except Exception as error:
            logger.warning("Lost the listening connection, polling meanwhile: %s", error)
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self.latency = None
        self._pinged_at, self._ping_at = None, 0.0  # the next connection is tested anew
        self._retry_at = monotonic() + RETRY

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
        except (psycopg.Error, DatabaseError) as error:
            logger.warning("Cannot listen for notifications, polling meanwhile: %s", error)
            self.close()
