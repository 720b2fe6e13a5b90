"""``manage.py import_django_apscheduler``, from tables that django-apscheduler itself filled."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from scheduler import scheduler, serialization
from scheduler.importer import importing, tables
from scheduler.models import Execution, Job
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from tests.processes import environment
from tests.proof.upstream.sdist import unpacked

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("old_project.py")


@pytest.fixture
def old_tables():
    inherited = environment()
    package = str(unpacked("django_apscheduler", "0.7.0"))
    paths = os.pathsep.join([package, inherited["PYTHONPATH"]])
    command = [sys.executable, "-W", "ignore", str(SCRIPT)]
    subprocess.run(command, env={**inherited, "PYTHONPATH": paths}, check=True)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {tables.EXECUTIONS}")
        cursor.execute(f"DROP TABLE {tables.JOBS}")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'django_apscheduler'")


def bring(*words: str) -> tuple[int, dict]:
    out = StringIO()
    try:
        call_command("import_django_apscheduler", "--json", *words, stdout=out)
    except SystemExit as end:
        return int(end.code), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_everything_that_can_be_read_is_brought_over_and_the_rest_is_named(old_tables):
    code, report = bring()

    assert code == 1
    assert report["imported"] == ["cron", "date", "interval", "or", "paused", "task"]
    assert report["quarantined"].keys() == {"moved"}
    assert report["refused"].keys() == {"broken", "object"}
    assert "Thing" in report["refused"]["object"]
    assert report["executions"] == 6

    task = Job.objects.get(id="task")
    assert (task.func, task.state) == ("tests.tasks.bodies:add", JobState.ACTIVE)
    cron = Job.objects.get(id="cron")
    assert (cron.name, cron.args, cron.max_instances, cron.coalesce) == ("Nightly", "[1]", 3, True)
    job = scheduler.get_job("cron")
    now = datetime(2030, 7, 1, tzinfo=UTC)
    assert job.trigger.get_next_fire_time(None, now) == now + timedelta(hours=1)  # 3:00 in Berlin
    assert job.next_run_time == cron.next_run_time
    interval = Job.objects.get(id="interval")
    assert (interval.coalesce, interval.state) == (False, JobState.ACTIVE)
    assert '"jitter":5' in interval.trigger
    assert Job.objects.get(id="date").next_run_time == datetime(2100, 1, 1, tzinfo=UTC)
    paused = Job.objects.get(id="paused")
    assert (paused.state, paused.next_run_time) == (JobState.PAUSED, None)
    assert scheduler.resume_job("paused").next_run_time is not None
    assert serialization.loads_args(Job.objects.get(id="or").args)[0] == [
        Decimal("1.5"), UUID(int=7), datetime(2030, 1, 1, tzinfo=UTC), (1, 2), {3}, b"x",
    ]  # fmt: skip
    moved = Job.objects.get(id="moved")
    assert (moved.state, "tock" in moved.last_error) == (JobState.QUARANTINED, True)


def test_the_history_comes_along_with_its_outcomes_and_times(old_tables):
    bring()

    rows = list(Execution.objects.filter(job_id="cron").order_by("scheduled_run_time"))
    assert [row.status for row in rows] == [
        Status.SUCCEEDED, Status.FAILED, Status.MISSED, Status.SKIPPED, Status.LOST,
    ]  # fmt: skip
    assert rows[0].scheduled_run_time == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert abs(rows[0].duration - timedelta(seconds=2)) < timedelta(seconds=0.01)
    assert (rows[1].exception, rows[1].traceback) == ("boom", "Traceback")
    assert "never wrote" in rows[4].reason
    assert {row.job_name for row in rows} == {"Nightly"}
    assert Execution.objects.filter(job_id="broken").count() == 1


def test_a_second_import_adds_nothing_and_changes_nothing(old_tables):
    bring()
    scheduler.modify_job("cron", name="Renamed here")
    scheduler.remove_job("interval")
    before = list(Job.objects.order_by("id").values())

    code, report = bring()

    assert (code, report["imported"], report["executions"]) == (1, [], 0)
    assert report["executions_present"] == 6
    assert report["present"] == ["cron", "date", "interval", "moved", "or", "paused", "task"]
    assert list(Job.objects.order_by("id").values()) == before
    assert Execution.objects.count() == 6


def test_a_dry_run_says_the_same_and_writes_nothing(old_tables):
    report = bring("--dry-run")[1]

    assert not Job.objects.exists()
    assert not Execution.objects.exists()
    assert report == bring()[1]


def test_a_job_of_ours_with_the_same_id_is_left_as_it_is(old_tables):
    scheduler.add_job("tests.bodies:noop", "interval", hours=1, id="cron")
    report = bring()[1]
    assert "another job" in report["refused"]["cron"]
    assert Job.objects.get(id="cron").func == "tests.bodies:noop"


def test_people_are_told_job_by_job(old_tables):
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("import_django_apscheduler", "--dry-run", stdout=out, stderr=err)
    assert "Job cron: would be imported" in out.getvalue()
    assert "Job broken: not imported." in err.getvalue()
    assert "nothing was written" in out.getvalue()


def test_what_a_terminal_would_obey_in_an_old_id_is_shown_and_not_sent(old_tables):
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {tables.EXECUTIONS}")  # they refer to the ids
        cursor.execute(f"UPDATE {tables.JOBS} SET id = %s WHERE id = 'cron'", ["cron\x1b[2J"])
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_django_apscheduler", stdout=StringIO(), stderr=err)
    assert r"Job cron\x1b[2J: not imported." in err.getvalue()
    assert "\x1b" not in err.getvalue()


def test_a_bad_row_is_named_and_stops_no_other(old_tables):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id) FROM {tables.EXECUTIONS} WHERE job_id = 'cron'")
        first, last = cursor.fetchone()
    whole = tables._execution

    def damaged(using, id, *row):
        if id == first:
            raise ValueError("cannot convert float NaN to integer")
        old = whole(using, id, *row)
        return replace(old, status="Executed", exception="\ud800") if id == last else old

    clean = importing.clean
    with (
        patch.object(tables, "_execution", damaged),
        patch.object(importing, "clean", lambda text: text if "\ud800" in text else clean(text)),
        patch.object(importing, "_row", named_badly(importing._row)),
    ):
        out, err = StringIO(), StringIO()
        with pytest.raises(SystemExit) as end:
            call_command("import_django_apscheduler", stdout=out, stderr=err)
    assert end.value.code == 1
    assert f"Execution {first}: not imported. ValueError: cannot convert" in err.getvalue()
    assert f"Execution {last}: not imported. UnicodeEncodeError" in err.getvalue()
    assert "Job date: not imported. UnicodeEncodeError" in err.getvalue()
    assert err.getvalue().endswith("5 of them not imported, for the reasons above: exit code 1.\n")
    assert Job.objects.filter(pk="interval").exists()
    assert Execution.objects.count() == 4


@pytest.mark.parametrize("table", [tables.JOBS, tables.EXECUTIONS])
def test_a_date_that_python_has_not_costs_its_row_alone(old_tables, table):
    dates = {"sqlite": "0000-00-00 00:00:00", "postgresql": "infinity"}
    if connection.vendor not in dates:
        pytest.skip("its driver reads such a date as none")
    column = "next_run_time" if table == tables.JOBS else "run_time"
    which = "'cron'" if table == tables.JOBS else f"(SELECT min(id) FROM {table})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE id = {which}", [dates[connection.vendor]]
        )
    _, report = bring()
    assert ("cron" in report["refused"]) == (table == tables.JOBS)
    assert len(report["refused_executions"]) == (table == tables.EXECUTIONS)
    assert {"date", "interval", "or"} <= {*report["imported"]}
    assert report["executions"] == 6 - (table == tables.EXECUTIONS)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"max_instances": 10**7}, "max_instances must be between 1 and 1000000"),
        ({"misfire_grace_time": 10**15}, "misfire_grace_time must be between 1 and"),
        ({"coalesce": "no"}, "coalesce must be True or False"),
        ({"name": "a\nb"}, "may not contain"),
    ],
)
def test_a_job_out_of_the_bounds_of_add_job_is_refused(old_tables, state, words):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT job_state FROM {tables.JOBS} WHERE id = 'cron'")
        stored = pickle.loads(bytes(cursor.fetchone()[0]))
        changed = pickle.dumps(stored | state)
        cursor.execute(f"UPDATE {tables.JOBS} SET job_state = %s WHERE id = 'cron'", [changed])
    _, report = bring()
    assert words in report["refused"]["cron"]


def named_badly(make):
    def row(old, state):
        made = make(old, state)
        made.name = "\ud800" if old.id == "date" else made.name
        return made

    return row


def test_without_the_tables_it_says_so():
    with pytest.raises(CommandError, match=r"django_apscheduler_djangojob.*--database"):
        call_command("import_django_apscheduler")
