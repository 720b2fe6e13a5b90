"""A ``migrate`` that is killed in the middle can be finished by the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import scheduler.migrations
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from scheduler.db.resumable import ResumableMigration

pytestmark = pytest.mark.django_db(transaction=True)

DDL = ("CREATE", "ALTER", "DROP")
STEPS = 60
"""More statements than all migrations have."""


class Killed(BaseException):
    """The process is gone: nothing that it would have done next is done."""


def test_every_migration_of_the_app_can_be_resumed():
    folder = Path(scheduler.migrations.__file__).parent
    names = sorted(path.stem for path in folder.glob("0*.py"))
    loader = MigrationExecutor(connection).loader
    for name in names:
        migration = loader.get_migration("scheduler", name)
        assert isinstance(migration, ResumableMigration), name


@pytest.fixture
def _server_that_keeps_halves():
    if connection.features.can_rollback_ddl:
        pytest.skip(f"{connection.vendor} rolls an unfinished migration back")
    yield
    migrate()


@pytest.mark.usefixtures("_server_that_keeps_halves")
def test_it_is_finished_wherever_it_was_killed():
    whole = schema()
    for killed_at in range(0, STEPS, 4):
        migrate(None)
        if not killed(at=killed_at):
            break
        migrate()
        assert schema() == whole, f"killed at statement {killed_at}"
    assert killed_at > 8


@pytest.mark.usefixtures("_server_that_keeps_halves")
def test_a_table_that_has_rows_by_now_is_not_dropped():
    migrate(None)
    assert killed(at=3)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO scheduler_lease (id, project, term, beat, resign_requested)"
                       " VALUES (1, '', 7, 0, 0)")  # fmt: skip
    with pytest.raises(DatabaseError, match=r"scheduler_lease, which has rows"):
        migrate()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scheduler_lease")


def migrate(to: str | None = "") -> None:
    """To the newest migration, or to none at all."""
    executor = MigrationExecutor(connection)
    targets: Any = [("scheduler", None)]
    if to is not None:
        targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "scheduler"]
    executor.migrate(targets)


def killed(at: int) -> bool:
    """Whether a ``migrate`` was ended before its DDL statement of that number."""
    seen = 0

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal seen
        if sql.lstrip().upper().startswith(DDL):
            seen += 1
            if seen > at:
                raise Killed
        return execute(sql, *rest)

    try:
        with connection.execute_wrapper(count):
            migrate()
    except Killed:
        return True
    return False


def schema() -> dict[str, Any]:
    """Columns and indexes of the app's tables."""
    inspect = connection.introspection
    with connection.cursor() as cursor:
        return {
            table: (
                sorted(column.name for column in inspect.get_table_description(cursor, table)),
                sorted(
                    (found["columns"], found["unique"], found["index"])
                    for found in inspect.get_constraints(cursor, table).values()
                ),
            )
            for table in inspect.table_names(cursor)
            if table.startswith("scheduler_")
        }
