"""Riding out the database: keep the results, close the connection, try again, tell the truth."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db.utils import InterfaceError, InternalError, OperationalError

from .clock import monotonic

if TYPE_CHECKING:
    from .loop import Loop

logger = logging.getLogger("scheduler.outage")

FIRST_RETRY, LAST_RETRY = 0.1, 1.0
"""Seconds between attempts: short, since a standby must be back within two seconds."""


REFUSED_VALUES = {1264, 1265, 1300, 1366, 3854, 3988}
"""MySQL's and MariaDB's errors about a value, such as a letter that the column's character set does
not have. Django calls them operational; trying again never helps."""


IDLED_TOO_LONG = "25P03"
"""PostgreSQL ended the session, since it idled inside a transaction: this process was frozen."""


LOCK_WAITS = {1205, 3572, "55P03"}
"""MySQL's and MariaDB's errors and PostgreSQL's SQLSTATE for a row that somebody else holds."""


def is_outage(error: BaseException) -> bool:
    """Whether the database is in trouble, which passes; or else what was to be written is."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) == IDLED_TOO_LONG
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (error.args and error.args[0] in REFUSED_VALUES)


def is_lock_wait(error: BaseException) -> bool:
    """Whether it is no trouble of the database, but of one row: a user's open transaction holds it.

    Not on SQLite, where the lock is one for all rows: there nothing else could be done meanwhile.
    """
    known = (*error.args[:1], getattr(error.__cause__, "sqlstate", None))
    return isinstance(error, OperationalError) and not LOCK_WAITS.isdisjoint(known)


class Outage:
    """From the first failed turn to the first good one."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._delay = FIRST_RETRY
        self.since: float | None = None
        self.last_error = ""
        self.of_database = False

    def begin(self, error: Exception) -> float:
        """A turn failed, as a rule by the database: drop the connection.

        Returns:
            Seconds to wait before the next attempt.
        """
        if self.since is None:
            self.since = monotonic()
            logger.warning("A turn failed, trying again: %s", error)
        self.last_error = f"{type(error).__name__}: {error}"[:500]
        self.of_database = is_outage(error)
        try:
            self._loop.connection.close()
        except Exception:
            logger.debug("Closing a broken connection failed", exc_info=True)
        delay, self._delay = self._delay, min(self._delay * 2, LAST_RETRY)
        return delay

    def end(self) -> None:
        """The connection is back: settle what the outage left in doubt.

        Raises:
            OperationalError, InterfaceError: it is not back after all.
        """
        self._loop.lease.forget()
        given_back = self._loop.recorder.recover_lost_replies()
        if self._loop.leader is not None:
            self._loop.leader.reconciler.forget()
        since, self.since = self.since, None
        logger.warning(
            "Turning again after %.1f s; %d runs returned to the queue",
            monotonic() - (since or monotonic()),
            given_back,
        )

    def settled(self) -> None:
        """A whole turn succeeded."""
        self._delay = FIRST_RETRY
        self.last_error = ""
