"""Which statements may leave something behind in the session of a connection."""

from __future__ import annotations

import pytest
from scheduler.db.guard import _may_change_session

KEEP = [
    "INSERT INTO shop_order (temperature) VALUES (1)",
    "UPDATE shop_order SET limit_set = 1",
    "WITH late AS (SELECT 1) SELECT * FROM late",
    "COMMIT",
    "ROLLBACK TO SAVEPOINT s1",
]
CHANGE = [
    "SET search_path TO other",
    "SELECT set_config('search_path', 'other', false)",
    "SELECT set_limit(0.9)",
    "SELECT pg_catalog.pg_advisory_lock(1)",
    "SELECT 5 INTO @page",
    "SELECT @page := 5",
    "SELECT 1 INTO TEMP kept",
    "COMMIT AND CHAIN",
    "ROLLBACK WORK AND  CHAIN",
    "START TRANSACTION",
    "CALL leave_something()",
    "DO $$ BEGIN SET ROLE other; END $$",
    "PRAGMA query_only = 1",
]


@pytest.mark.parametrize("sql", CHANGE)
def test_a_statement_that_reaches_past_its_transaction_is_found(sql):
    assert _may_change_session(sql, "postgresql")


@pytest.mark.parametrize("sql", KEEP)
def test_a_statement_that_ends_with_its_transaction_keeps_the_connection(sql):
    assert not _may_change_session(sql, "postgresql")
