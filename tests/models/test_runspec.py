"""The columns of a run stand in one list."""

from __future__ import annotations

import ast
from dataclasses import fields

from scheduler.models import Execution, Job
from scheduler.models.runspec import RUN_SPEC_FIELDS, RunSpecValues, snapshot

from tests.settings import TEMPLATE

ACTS_ON_IT = {
    "engine/dispatcher.py",
    "engine/events.py",
    "monitoring/alerts.py",
    "admin/trends/charts.py",
}
"""What a policy does stands where it is done, and nowhere else."""


def test_rows_and_values_have_the_same_columns():
    assert tuple(column.name for column in fields(RunSpecValues)) == RUN_SPEC_FIELDS


def test_values_have_the_defaults_of_the_columns():
    values, row = RunSpecValues(func=""), Job()
    assert snapshot(values) == snapshot(row)


def test_an_execution_carries_every_column_of_its_job():
    job = Job(id="a", name="A", **_unlike_the_defaults())
    execution = Execution.for_job(job)
    assert (execution.job_id, execution.job_uid, execution.job_name) == ("a", job.uid, "A")
    assert snapshot(execution) == snapshot(job) == _unlike_the_defaults()


def test_the_next_attempt_carries_what_the_first_one_was_defined_as():
    first = Execution(job_id="a", attempt=1, status="failed", log="x", **_unlike_the_defaults())
    second = first.next_attempt()
    assert snapshot(second) == snapshot(first)
    assert (second.attempt, second.kind, second.status, second.log) == (2, "retry", "queued", "")


def test_a_policy_is_named_in_three_files_beside_the_one_that_acts_on_it():
    """The column, what callers may say, the form: nothing between copies it by name."""
    app = TEMPLATE / "scheduler"
    files = {
        str(path.relative_to(app)) for path in app.rglob("*.py") if _names(path.read_text())
    } - ACTS_ON_IT
    assert {file for file in files if not file.startswith("migrations/")} == {
        "models/runspec.py",
        "definitions/options.py",
        "admin/fields/policies.py",
    }


def _names(source: str, column: str = "warn_after") -> bool:
    """Whether the code names the column; a docstring that explains it does not count."""
    for node in ast.walk(ast.parse(source)):
        name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "arg", "")
        if column in (name, getattr(node, "value", None)):
            return True
    return False


def _unlike_the_defaults() -> dict[str, object]:
    kinds = {"str": "x", "int": 7, "float": 7.5, "float | None": 7.5}
    return {column.name: kinds[str(column.type)] for column in fields(RunSpecValues)}
