"""Time: the database's clock decides, carried between readings on this host's monotonic clock.

A host whose wall clock is hours wrong claims the same slots at the same moments as its peers.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import DateTimeField, Func
from django.utils.dateparse import parse_datetime

from ..conf import conf

logger = logging.getLogger("scheduler.clock")

MIN_REPORTED_JUMP = timedelta(seconds=5)
"""A change of the database's clock by more is reported; a time service moves it by less."""

ASK_AFTER = 1.0
"""Seconds for which a reading serves for new rows."""

# Counts the time that the machine slept, where the system has such a clock.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def monotonic() -> float:
    """Return seconds on a clock that nobody can set."""
    return time.clock_gettime(_MONOTONIC)


class DbNow(Func):
    """The database's clock at the moment of the statement, in UTC.

    Not Django's ``Now()``: PostgreSQL's is frozen at the transaction's start, MySQL's follows the
    session's time zone.
    """

    output_field = DateTimeField()
    frozen: datetime | None = None
    """A test may set the database's clock here; see ``scheduler.testing``."""

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        if DbNow.frozen is not None:
            value = connection.ops.adapt_datetimefield_value(DbNow.frozen)
            kinds = {"postgresql": "timestamptz", "mysql": "datetime(6)"}
            kind = kinds.get(connection.vendor)
            return f"CAST(%s AS {kind})" if kind else "%s", (value,)
        return {
            "postgresql": "clock_timestamp()",
            "mysql": "utc_timestamp(6)",
            "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')",
        }[connection.vendor], ()


def db_now(using: str) -> datetime:
    """Return the database's time, in UTC."""
    connection = connections[using]
    sql, params = DbNow().as_sql(None, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", params)
        value = cursor.fetchone()[0]
    if isinstance(value, str):
        value = parse_datetime(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the time by the clock of the scheduler's own database, in UTC."""
    return db_now(conf().DATABASE)


class ClusterClock:
    """``now()`` without a statement: the last reading plus what has passed here since."""

    def __init__(self) -> None:
        self._read: datetime | None = None
        self._at = 0.0

    def sync(self, using: str) -> None:
        """Read the database's clock; the error is at most half of the round trip."""
        before, expected = monotonic(), self._expected()
        read = db_now(using)
        at = (before + monotonic()) / 2
        if expected is not None:
            _report_jump(read - (expected + timedelta(seconds=at - before)))
        self.set(read, at)

    def set(self, read: datetime, at: float) -> None:
        """Go on from ``read``, which was the time at the moment ``at`` of the monotonic clock."""
        self._read, self._at = read, at

    def now(self) -> datetime:
        """Return the database's time, in UTC, as this host's monotonic clock carries it on."""
        if DbNow.frozen is not None:
            return DbNow.frozen
        return self._expected() or datetime.now(UTC)

    def _expected(self) -> datetime | None:
        if self._read is None:
            return None
        return self._read + timedelta(seconds=monotonic() - self._at)


class RecentClock:
    """The database's time for many new rows: asked once a second, carried on meanwhile."""

    def __init__(self) -> None:
        self._readings: dict[str, tuple[datetime, float]] = {}

    def now(self, using: str) -> datetime:
        """Return the database's time, in UTC."""
        read, at = self._readings.get(using, (None, 0.0))
        passed = monotonic() - at
        if read is None or passed > ASK_AFTER or DbNow.frozen is not None:
            before = monotonic()
            read = db_now(using)
            if DbNow.frozen is None:
                self._readings[using] = read, (before + monotonic()) / 2
            return read
        return read + timedelta(seconds=passed)


def _report_jump(jump: timedelta) -> None:
    if jump < -MIN_REPORTED_JUMP:
        logger.error(
            "The database's clock was set back by %.0f s: no job starts before it reaches the time "
            "of its next run. Set the clock right; if it is right now, pause the jobs and resume "
            "them: that computes their next runs anew",
            -jump.total_seconds(),
        )
    elif jump > MIN_REPORTED_JUMP:
        logger.warning(
            "The database's clock was set forward by %.0f s: what is due by it starts now",
            jump.total_seconds(),
        )
