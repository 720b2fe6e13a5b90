"""``docs/api.md`` names everything, and each of its tests exists."""

from __future__ import annotations

import ast
import re

import pytest
from apscheduler.job import Job
from apscheduler.schedulers.base import BaseScheduler
from scheduler.schedulers.client import SchedulerClient

from tests.proof.upstream.sdist import unpacked
from tests.settings import ROOT

ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| .+ \| `(?P<test>[^`]+)` \|$", re.MULTILINE)
TEXT = (ROOT / "docs" / "api.md").read_text()
ROWS = [(match["name"], match["test"]) for match in ROW.finditer(TEXT)]
NAMES = {name for name, _ in ROWS}


def test_every_line_of_a_table_is_a_row_with_its_test():
    lines = [line for line in TEXT.splitlines() if line.startswith("| `")]
    assert len(lines) == len(ROWS) > 60


@pytest.mark.parametrize("test", sorted({test for _, test in ROWS}))
def test_the_test_of_a_row_exists(test):
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def public(owner: type) -> set[str]:
    """Methods and properties that a class itself defines for its users."""
    return {
        name
        for name, value in vars(owner).items()
        if not name.startswith("_") and (callable(value) or isinstance(value, property))
    }


def test_every_method_of_apschedulers_scheduler_and_job_has_a_row():
    assert public(BaseScheduler) - NAMES == set()
    assert {f"Job.{name}" for name in public(Job)} - NAMES == set()


def test_every_method_of_the_client_has_a_row():
    own = {name for name in public(SchedulerClient) if name not in public(BaseScheduler)}
    documented = {name.removeprefix("scheduler.").partition("(")[0] for name in NAMES}
    assert own - documented == {"using"}


def test_every_name_of_django_apscheduler_has_a_row():
    package = unpacked("django_apscheduler", "0.7.0") / "django_apscheduler"
    found = set()
    for module in ("jobstores", "models", "util", "admin"):
        tree = ast.parse((package / f"{module}.py").read_text())
        found |= {
            f"{module}.{node.name}"
            for node in tree.body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        }
        settings = re.findall(r'"(APSCHEDULER_\w+)"', (package / f"{module}.py").read_text())
        found |= set(settings)
    assert len(found) > 15
    assert found - NAMES == set()
