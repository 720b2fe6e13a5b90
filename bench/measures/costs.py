"""What a scheduler in this process costs for a while: processor time, statements, connections."""

from __future__ import annotations

import time
from typing import Any


def over(seconds: float, *, after: float) -> dict[str, Any]:
    """Wait, and return what the next ``seconds`` cost.

    Args:
        after: seconds from now that are not measured: a term begins with more than the usual.
    """
    time.sleep(after)
    before, processor = _statements(), time.process_time()
    time.sleep(seconds)
    found: dict[str, Any] = {}
    found["processor_percent"] = (time.process_time() - processor) / seconds * 100
    for name, count in _statements().items():
        found[name] = (count - before[name]) / seconds if name != "connections" else count
    return found


def _statements() -> dict[str, int]:
    """On PostgreSQL, what its own statistics say of this database; elsewhere nothing."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xact_commit, numbackends FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        transactions, connections = cursor.fetchone()
        cursor.execute(
            "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) "
            "FROM pg_stat_user_tables"
        )
        ((rows,),) = cursor.fetchall()
    connection.close()
    return {
        "transactions_a_second": transactions,
        "rows_read_a_second": int(rows),
        "connections": connections - 1,
    }
