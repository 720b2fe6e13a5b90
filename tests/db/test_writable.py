"""A database that takes no writes is named before ``migrate`` fails in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from scheduler.checks import check_writable, database

pytestmark = pytest.mark.django_db(transaction=True)

READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF", "query_only is on"),
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
        "transactions are read-only",
    ),
    "mysql": (
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION TRANSACTION READ WRITE",
        "transactions are read-only",
    ),
}


@pytest.fixture
def _pending(monkeypatch):
    """One migration is not applied yet."""
    executor = database.MigrationExecutor
    monkeypatch.setattr(executor, "migration_plan", lambda *_: [("scheduler", "0001_initial")])


@pytest.fixture
def read_only():
    """What the check is to name."""
    begin, end, why = READ_ONLY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(begin)
    yield why
    with connection.cursor() as cursor:
        cursor.execute(end)


@pytest.mark.usefixtures("_pending")
def test_a_read_only_database_without_its_tables_is_named_with_the_remedy(read_only):
    (found,) = check_writable(databases=["default"])
    assert found.id == "scheduler.E019"
    assert read_only in found.msg
    assert "manage.py migrate" in found.hint


def test_a_replica_that_has_its_tables_is_none_of_its_business(read_only):
    assert check_writable(databases=["default"]) == []


@pytest.mark.usefixtures("_pending")
def test_a_database_that_takes_writes_passes():
    assert check_writable(databases=["default"]) == check_writable(databases=[]) == []


@pytest.mark.usefixtures("_pending")
def test_a_file_that_may_not_be_written_is_named(monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("a server's files are its own")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).suffix == "")
    (found,) = check_writable(databases=["default"])
    assert f"{Path(connection.settings_dict['NAME'])} may not be written" in found.msg
