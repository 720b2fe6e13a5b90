"""Rows and results that do harm: the culprit is found, and no other job is stopped."""

from __future__ import annotations

import pytest
from django.db import connection
from scheduler.models import Job
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from . import bodies
from .jobs import add, every_second, runs


def test_a_poisonous_result_is_cleansed_and_its_neighbour_written(a):
    a.lead()
    add(bodies.poison, id="poison")
    add(id="good")
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 2)
    assert "�" in runs(job_id="poison")[0].log


def test_a_result_that_the_database_refuses_is_recorded_bare_and_its_neighbour_whole(
    a, monkeypatch, vendor
):
    """Whatever cleansing overlooks, and a column whose character set is too small."""
    if vendor == "sqlite":
        pytest.skip("SQLite stores any text")
    if vendor == "mysql":
        _latin(True)
    else:
        monkeypatch.setattr(
            "scheduler.engine.executors.runner.clean", lambda text: text.replace("\ud800", "")
        )
    try:
        a.lead()
        add(bodies.poison if vendor == "postgresql" else bodies.shout, id="poison")
        add(id="good")
        a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 2)
    finally:
        if vendor == "mysql":
            _latin(False)
    assert "could not be stored" in runs(job_id="poison")[0].reason
    assert runs(job_id="good")[0].return_value == '"noted"'


def _latin(latin: bool) -> None:
    """What MariaDB makes of a database that was created without naming a character set."""
    charset = "latin1" if latin else "utf8mb4"
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE scheduler_execution MODIFY log longtext CHARACTER SET {charset} NOT NULL"
        )


def test_a_claim_that_the_database_refuses_quarantines_its_job_and_no_other(a, database_clock):
    a.lead()
    start = database_clock.move(60)
    every_second(start, id="stuck")
    every_second(start, id="good")
    Job.objects.filter(id="stuck").update(trigger=_STUCK, planned_trigger=_STUCK)
    a.turn_until(lambda: runs(job_id="good", status=Status.SUCCEEDED))
    stuck = Job.objects.get(id="stuck")
    assert (stuck.state, bool(stuck.last_error)) == (JobState.QUARANTINED, True)


_STUCK = '{"kind":"nonsense"}'


def test_a_job_whose_run_the_database_refuses_stops_no_other(a, vendor):
    """At the claim: the copy of the job that its execution carries."""
    if vendor != "mysql":
        pytest.skip("every text column of this database takes every letter")
    a.lead()
    add(id="rocket", name="\N{ROCKET}")
    add(id="good")
    with connection.cursor() as cursor:
        table = "ALTER TABLE scheduler_execution MODIFY job_name varchar(255) CHARACTER SET"
        cursor.execute(f"{table} latin1 NOT NULL")
        try:
            a.turn_until(lambda: runs(job_id="good", status=Status.SUCCEEDED))
        finally:
            cursor.execute(f"{table} utf8mb4 NOT NULL")
    assert Job.objects.get(id="rocket").state == JobState.QUARANTINED
