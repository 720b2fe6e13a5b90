"""Where the tables lie and who else is there: each works, or is refused at start with a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import connection, connections
from scheduler.models.execution import Status

from tests.settings import ROOT

from .jobs import add, runs


class ReadsFromAReplica:
    """The replica does not exist: whoever reads from it is found out."""

    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"


def test_a_router_with_a_read_replica_is_not_asked(a, b, settings):
    add()
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsFromAReplica"]
    a.turn_until(lambda: runs_on_default(Status.SUCCEEDED))
    a.end()
    b.lead()
    assert runs_on_default("running") == []


def runs_on_default(status: str) -> list[object]:
    from scheduler.models import Execution

    return list(Execution.objects.using("default").filter(status=status))


def test_the_tables_may_lie_in_another_database(tmp_path: Path):
    """A process of its own: the aliases of this one are fixed."""
    database = project.DATABASES["default"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.conformance.second_database", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["succeeded", "default:no", "jobs:yes"], database["ENGINE"]


def test_two_projects_that_share_a_database_are_told_apart_at_start(a, settings):
    a.lead()
    settings.APSCHEDULER_NAME = "another"
    with pytest.raises(CommandError, match=r"belong to the project 'default'.*of its own"):
        call_command("runapscheduler")


def test_tables_that_are_not_migrated_are_refused_with_the_command(monkeypatch):
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder.applied_migrations
    monkeypatch.setattr(
        MigrationRecorder,
        "applied_migrations",
        lambda self: {k: v for k, v in applied(self).items() if k[0] != "scheduler"},
    )
    with pytest.raises(CommandError, match=r"python manage\.py migrate"):
        call_command("runapscheduler")


def test_behind_a_transaction_pooler_nothing_sticks_to_the_session(peer, monkeypatch, vendor):
    if vendor != "postgresql":
        pytest.skip("poolers in transaction mode are PostgreSQL's")
    connections.close_all()
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    pooled = peer("pooled")
    pooled.lead()
    assert pooled.do(_session) == ("0", "0", "0")
    assert pooled.scheduler.loop.listener.mode == "poll"
    add()
    pooled.turn_until(lambda: runs(status=Status.SUCCEEDED))


def test_a_pooler_that_no_setting_names_is_noticed(peer, monkeypatch, vendor):
    """It answers with another process than the one that answers the statements."""
    if vendor != "postgresql":
        pytest.skip("poolers in transaction mode are PostgreSQL's")
    import psycopg

    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _: 1))
    pooled = peer("pooled")
    pooled.lead()
    assert pooled.do(_session) == ("0", "0", "0")


def test_without_a_pooler_the_loops_session_bounds_its_waits(a, vendor):
    if vendor != "postgresql":
        pytest.skip("the settings are read back as PostgreSQL names them")
    a.lead()
    assert a.do(_session) == ("2s", "10s", "3s")


def _session() -> tuple[str, ...]:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with connection.cursor() as cursor:
        values = []
        for name in names:
            cursor.execute(f"SHOW {name}")
            values.append(cursor.fetchone()[0])
    return tuple(values)
