"""Workers of a backend of Django's Tasks API: django-tasks-db and its ``db_worker``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from scheduler import scheduler
from scheduler.models import Execution, Node

from .cluster import Cluster, cluster, eventually
from .remote_bodies import note, wait_for
from .test_celery import ended, now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
TABLE = "django_tasks_database_dbtaskresult"


@pytest.fixture
def db_worker(tmp_path: Path) -> Iterator[Cluster]:
    """A leader and one worker, whose table of tasks lies beside the scheduler's."""
    with cluster(tmp_path, TEST_WORKERS="django-tasks") as made:
        made.run("migrate", "django_tasks_database", "--skip-checks")
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE}")
        made.scheduler()
        made.db_worker()
        yield made


def states() -> list[str]:
    """What the backend says of its tasks."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT status FROM {TABLE} ORDER BY enqueued_at")
        return [status for (status,) in cursor.fetchall()]


def test_a_run_is_published_as_a_task_and_its_worker_writes_the_outcome(db_worker):
    now(note)
    (row,) = ended()
    assert row.status == "succeeded"
    assert "printed\n" in row.log
    assert Node.objects.get(id=row.node_id).is_worker


def test_the_run_of_a_killed_worker_is_lost_and_retried_though_its_task_runs_for_ever(
    db_worker, tmp_path
):
    now(wait_for, args=[str(tmp_path / "go")], on_lost="retry", max_retries=1)
    eventually((tmp_path / "go.1").exists)
    db_worker.processes[1].kill()
    db_worker.processes[1].wait()
    db_worker.db_worker()
    eventually((tmp_path / "go.2").exists)
    (tmp_path / "go").touch()
    first, second = ended(2)
    assert (first.status, second.status) == ("lost", "succeeded")
    assert "RUNNING" in states(), "the backend still believes that it runs"


def test_a_worker_that_is_asked_to_stop_finishes_its_body_and_its_node_has_stopped(
    db_worker, tmp_path
):
    now(wait_for, args=[str(tmp_path / "go")])
    eventually((tmp_path / "go.1").exists)
    worker = db_worker.processes[1]
    worker.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert ended()[0].status == "succeeded"
    worker.wait(60)
    eventually(lambda: not Node.objects.filter(role="worker").exists())


def test_a_task_that_is_there_twice_runs_its_row_once(db_worker):
    scheduler.add_job(note, id="job", executor="workers", trigger="date")
    (row,) = ended()
    with connection.cursor() as cursor:  # the same message once more
        cursor.execute(f"UPDATE {TABLE} SET status = 'READY', started_at = NULL")
    eventually(lambda: set(states()) == {"SUCCESSFUL"})
    row_again = Execution.objects.get()
    assert (row_again.started_at, row_again.status) == (row.started_at, "succeeded")
