"""Whether the database takes writes: without them scheduler processes run, and none can lead."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction
from django.db.models import F
from django.db.utils import Error as DatabaseError

from ..db.errors import codes_of, is_lock_wait
from ..models import Lease

logger = logging.getLogger("scheduler.health")

TIMEOUTS = {
    "sqlite": ("PRAGMA busy_timeout", "PRAGMA busy_timeout = {}", 1000),
    "postgresql": ("SHOW lock_timeout", "SET LOCAL lock_timeout = '{}'", "1s"),
    "mysql": (
        "SELECT @@innodb_lock_wait_timeout",
        "SET SESSION innodb_lock_wait_timeout = {}",
        1,
    ),
}
"""How each database says and changes for how long a statement waits for a lock, and one second,
which is the least that MariaDB knows."""
READ_ONLY = {"25006", 1290, 1792, 1836}
FULL = {"53100", 1021, 1114}
"""PostgreSQL's SQLSTATEs, and the error numbers of MySQL and MariaDB."""


def find_obstacle(using: str) -> str:
    """Return what keeps the lease from being written; empty if nothing does.

    It writes the lease's row as it is, so it waits for whoever has locked it, as a scheduler does.
    """
    try:
        with _short_transaction(using):
            Lease._base_manager.using(using).filter(pk=1).update(beat=F("beat"))
    except DatabaseError as error:
        return _in_words(error)
    return ""


def _in_words(error: Exception) -> str:
    codes = codes_of(error)
    text = str(error)  # of SQLite, which has no numbers
    if is_lock_wait(error) or "is locked" in text:
        return "another transaction keeps it locked"
    if codes & READ_ONLY or "readonly" in text:
        return "it is read-only"
    if codes & FULL or "is full" in text:
        return "its disk is full"
    logger.warning("The scheduler's lease cannot be written: %s", error)
    return f"{type(error).__name__}, see the log"


@contextmanager
def _short_transaction(using: str) -> Iterator[None]:
    """Answer a probe soon, also while somebody holds a lock.

    On PostgreSQL for this transaction alone: a pooler gives the session to somebody else after it.
    """
    if connections[using].vendor == "postgresql":
        with transaction.atomic(using=using):
            before = _wait_shortly(using)
            yield
            _wait_for(before, using)  # the caller's own transaction may go on
        return
    before = _wait_shortly(using)
    try:
        with transaction.atomic(using=using):
            yield
    finally:
        _wait_for(before, using)


def _wait_shortly(using: str) -> Any:
    show, _, short = TIMEOUTS[connections[using].vendor]
    with connections[using].cursor() as cursor:
        cursor.execute(show)
        before = cursor.fetchone()[0]
    _wait_for(short, using)
    return before


def _wait_for(seconds: Any, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(TIMEOUTS[connections[using].vendor][1].format(seconds))
