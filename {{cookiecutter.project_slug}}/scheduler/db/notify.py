"""Tell a sleeping scheduler that something was committed. Elsewhere than on PostgreSQL it polls."""

from __future__ import annotations

from django.db import connections

CHANNEL = "apscheduler"


def announce(using: str) -> None:
    """Notify in the current transaction: delivered at commit, never after a rollback."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
