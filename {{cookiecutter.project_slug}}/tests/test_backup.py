"""Backup and restore, on the database that the tests use."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from scheduler import scheduler
from scheduler.models import Execution, Job
from scheduler.models.execution import Status
from scheduler.testing import run_due
from tests import jobs

TOOLS = {"sqlite": [], "postgresql": ["pg_dump"], "mysql": ["mariadb-dump", "mysqldump"]}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def tool() -> None:
    tools = TOOLS[connection.vendor]
    if tools and not any(map(shutil.which, tools)):
        pytest.skip(f"{tools[0]} is not installed")


def test_a_restored_database_is_what_it_was(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "backup"
    User.objects.create_user("ann")
    call_command("backup", file, stdout=io.StringIO())
    assert file.stat().st_mode & 0o077 == 0
    User.objects.all().delete()
    User.objects.create_user("bob")
    call_command("restore", file, "--noinput", stdout=io.StringIO())
    assert [user.username for user in User.objects.all()] == ["ann"]


def test_the_scheduler_goes_on_from_a_restored_database(tmp_path: Path) -> None:
    """Jobs, history and the lease are those of the backup, and numbers go on after them."""
    file = tmp_path / "backup"
    scheduler.add_job(jobs.greet, "interval", hours=1, id="kept", name="Zoë 🐝")
    scheduler.run_now("kept")
    (before,) = run_due("kept")
    call_command("backup", file, stdout=io.StringIO())
    scheduler.remove_job("kept")
    scheduler.add_job(jobs.greet, "interval", hours=1, id="newer")
    scheduler.run_now("newer")
    assert run_due("newer")

    call_command("restore", file, "--noinput", stdout=io.StringIO())

    assert [(job.id, job.name) for job in Job.objects.all()] == [("kept", "Zoë 🐝")]
    assert [run.pk for run in Execution.objects.all()] == [before.pk]
    scheduler.run_now("kept")
    (after,) = run_due("kept")
    assert (after.status, after.return_value) == (Status.SUCCEEDED, before.return_value)
    assert after.pk > before.pk


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("the older one")
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", file)
    assert file.read_text() == "the older one"


@pytest.mark.parametrize("content", [None, "no backup at all"])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "backup"
    if content:
        file.write_text(content)
    User.objects.create_user("ann")
    with pytest.raises(CommandError):
        call_command("restore", file, "--noinput", stdout=io.StringIO())
    assert User.objects.filter(username="ann").exists()


def test_only_yes_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", tmp_path / "backup", stdout=io.StringIO())
