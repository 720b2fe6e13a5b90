"""Tell what a database error means: an outage that passes, or a value or row at fault."""

from __future__ import annotations

from django.db.utils import InterfaceError, InternalError, OperationalError

REFUSED_VALUES = {1264, 1265, 1300, 1366, 3854, 3988}
"""MySQL's and MariaDB's errors about a value, such as a letter that the column's character set does
not have. Django calls them operational; trying again never helps."""

PASSING_STATES = {"25P03", "25006"}
"""PostgreSQL's SQLSTATEs of internal errors that pass: of a session that it ended because it idled
inside a transaction, since this process was frozen; and of a server that takes no writes, such as
a primary that was demoted. MySQL's and MariaDB's (1290, 1792, 1836) are operational errors."""

LOCK_WAITS = {1205, 3572, "55P03"}
"""MySQL's and MariaDB's error numbers and PostgreSQL's SQLSTATE for a row that is locked."""


def codes_of(error: BaseException) -> set[object]:
    """Return the number (MySQL, MariaDB) and SQLSTATE (PostgreSQL) that the error has, if any."""
    return {*error.args[:1], getattr(error.__cause__, "sqlstate", None)}


def is_outage(error: BaseException) -> bool:
    """Return whether the database is in trouble, which passes, rather than what was written."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) in PASSING_STATES
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (error.args and error.args[0] in REFUSED_VALUES)


def is_lock_wait(error: BaseException) -> bool:
    """Return whether the error concerns one row only, which a user's open transaction locks.

    Never on SQLite, where one lock covers all rows: nothing else could be done meanwhile.
    """
    return isinstance(error, OperationalError) and not LOCK_WAITS.isdisjoint(codes_of(error))
