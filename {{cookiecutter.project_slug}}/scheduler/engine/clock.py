"""Time: the database's clock decides, carried between readings on this host's monotonic clock.

A host whose wall clock is hours wrong claims the same slots at the same moments as its peers.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import DateTimeField, Func
from django.utils.dateparse import parse_datetime

# Counts the time that the machine slept, where the system has such a clock.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def monotonic() -> float:
    """Seconds on a clock that nobody can set."""
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
    """The database's clock."""
    connection = connections[using]
    sql, params = DbNow().as_sql(None, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", params)
        value = cursor.fetchone()[0]
    if isinstance(value, str):
        value = parse_datetime(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


class ClusterClock:
    """``now()`` without a statement: the last reading plus what has passed here since."""

    def __init__(self) -> None:
        self._read: datetime | None = None
        self._at = 0.0

    def sync(self, using: str) -> None:
        """Read the database's clock; the error is at most half of the round trip."""
        before = monotonic()
        read = db_now(using)
        self.set(read, (before + monotonic()) / 2)

    def set(self, read: datetime, at: float) -> None:
        """Go on from ``read``, which was the time at the moment ``at`` of the monotonic clock."""
        self._read, self._at = read, at

    def now(self) -> datetime:
        if DbNow.frozen is not None:
            return DbNow.frozen
        if self._read is None:
            return datetime.now(UTC)
        return self._read + timedelta(seconds=monotonic() - self._at)
