"""The import rule of ``scheduler/``: it holds, and a change that breaks it is named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations import ROOT

PROJECT = ROOT / "{{cookiecutter.project_slug}}"
LINTER = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the app and its rule, to break."""
    shutil.copytree(PROJECT / "scheduler", tmp_path / "scheduler")
    shutil.copy(PROJECT / ".importlinter", tmp_path)
    return tmp_path


def lint(project: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINTER, "--no-logo", "--no-cache"], cwd=project, capture_output=True, text=True
    )
    return done.returncode, " ".join(done.stdout.split())


def append(file: Path, line: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + line, encoding="utf-8")


def test_the_import_rule_holds(project):
    status, text = lint(project)
    assert status == 0, text
    assert "Contracts: 6 kept, 0 broken." in text


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        pytest.param(
            "models/job.py",
            "from ..engine import outage\n",
            "scheduler.models.job -> scheduler.engine.outage",
            id="a lower layer imports an upper one",
        ),
        pytest.param(
            "engine/ledger/slots.py",
            "def later():\n    from ..leader import Leader\n",
            "scheduler.engine.ledger.slots -> scheduler.engine.leader",
            id="inside a function",
        ),
        pytest.param(
            "triggers/cron/crontab.py",
            "from .trigger import CronTrigger\n",
            ".trigger -> .crontab",
            id="a circle of two files",
        ),
        pytest.param(
            "schedulers/client.py",
            "from ..admin.jobs import form\n",
            "scheduler.schedulers.client -> scheduler.admin.jobs.form",
            id="outside of the admin",
        ),
    ],
)
def test_an_import_that_points_up_is_named_with_both_files(project, file, line, told):
    append(project / "scheduler" / file, line)
    status, text = lint(project)
    assert status == 1
    assert told in text, text


def test_a_module_without_a_place_is_named(project):
    (project / "scheduler" / "extras.py").write_text('"""No layer has it."""\n', encoding="utf-8")
    status, text = lint(project)
    assert status == 1
    assert "extras" in text, text


def test_no_folder_of_the_scheduler_holds_more_than_sixteen_modules():
    """At most 16 modules in a folder and 10 at the top: more is a street without names."""
    for folder in [PROJECT / "scheduler", *(PROJECT / "scheduler").rglob("*/")]:
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        if folder.name != "migrations":
            assert len(modules) <= (10 if folder.name == "scheduler" else 16), folder
