"""What bounds the loop's own connection, by the server it is connected to."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import environ
import pytest
from django.db import connections
from scheduler.db.connection import LoopConnection

from tests.servers import server_url


class Connection:
    """Keeps the statements that it is given."""

    def __init__(self, vendor: str, is_mariadb: bool) -> None:
        self.vendor, self.mysql_is_mariadb = vendor, is_mariadb
        self.statements: list[tuple[str, object]] = []

    @contextmanager
    def cursor(self):
        yield SimpleNamespace(
            execute=lambda sql, params=None: self.statements.append((sql, params))
        )


def bounds(vendor: str, is_mariadb: bool = False) -> list[tuple[str, object]]:
    connection = Connection(vendor, is_mariadb)
    LoopConnection("default")._bound(connection)
    return connection.statements


@pytest.mark.parametrize(("ttl", "seconds"), [(6.0, 12), (7.1, 15), (0.3, 2)])
def test_mysql_ends_a_session_that_idles_for_twice_the_lease(settings, ttl, seconds):
    """It has no bound for a session that idles inside a transaction, as MariaDB has."""
    settings.APSCHEDULER_LEASE_TTL = ttl
    assert ("SET SESSION wait_timeout = %s", [seconds]) in bounds("mysql")


def test_mariadb_ends_only_a_session_that_idles_inside_a_transaction():
    statements = bounds("mysql", is_mariadb=True)
    assert not any("wait_timeout" in sql.split() for sql, _ in statements)
    assert any("idle_transaction_timeout" in sql for sql, _ in statements)


@pytest.fixture
def pooled(django_db_blocker):
    """The alias of a PostgreSQL database whose pool has a single connection."""
    database = {
        **connections["default"].settings_dict,
        **environ.Env.db_url_config(server_url("postgresql", "postgres")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 1}},
    }
    connections.settings["pooled"] = database
    with django_db_blocker.unblock():
        yield "pooled"
        connections["pooled"].close_pool()
    del connections["pooled"], connections.settings["pooled"]


def test_a_pool_hands_no_connection_on_with_the_bounds_of_the_loop(pooled):
    def session() -> str:
        with connections[pooled].cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    loop = LoopConnection(pooled)
    loop.prepare()
    assert session() == "10s"
    loop.close()
    assert session() == "0", "the next thread got the loop's session"
    connections[pooled].close()
