"""Migrations: one for the first release, and only added to ever after."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from scheduler.models import Change, Execution, Job, Term

from tests.combinations import ROOT

MIGRATIONS = ROOT / "{{cookiecutter.project_slug}}" / "scheduler" / "migrations"
RELEASED = {
    "1.0.0": {"0001_initial": "0410f16ad607b12695fe44d3427211ef40b4b1610abd12f29096011866d5a866"},
}
"""Version -> its migrations, and the SHA-256 of each file."""

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("version", RELEASED)
def test_a_migration_of_a_release_is_never_edited(version):
    """Databases that ran it would differ from those that run it today: add another instead."""
    found = {
        name: hashlib.sha256((MIGRATIONS / f"{name}.py").read_bytes()).hexdigest()
        for name in RELEASED[version]
    }
    assert found == RELEASED[version]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", RELEASED)
def test_a_database_of_a_release_comes_to_the_head_with_its_rows(version):
    executor = MigrationExecutor(connection)
    head = executor.loader.graph.leaf_nodes("scheduler")
    release = [("scheduler", name) for name in RELEASED[version]]
    executor.migrate(release)
    old = executor.loader.project_state(release).apps
    trigger = {"type": "interval", "seconds": 60}
    columns = {"func": "home.jobs:heartbeat", "trigger": trigger, "planned_trigger": trigger}
    job = old.get_model("scheduler", "Job").objects.create(
        id="heartbeat", next_run_time=NOON, **columns
    )
    old.get_model("scheduler", "Execution").objects.create(
        job_id=job.id, job_uid=job.uid, func=job.func, kind="schedule", status="succeeded",
        scheduled_run_time=NOON, due_at=NOON, queued_at=NOON,
    )  # fmt: skip
    old.get_model("scheduler", "Term").objects.create(
        term=1, node_id=job.uid, cause="first", acquired_at=NOON
    )
    old.get_model("scheduler", "Change").objects.create(
        job_id=job.id, job_uid=job.uid, action="added", at=NOON
    )

    executor = MigrationExecutor(connection)
    executor.migrate(head)
    assert Job.objects.get().next_run_time == NOON
    assert Execution.objects.get().scheduled_run_time == NOON
    assert Term.objects.get().term == 1
    assert Change.objects.get().job_id == "heartbeat"
