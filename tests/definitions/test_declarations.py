"""``@job``: what the code declares, and what somebody changed since."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import undefined
from django.test import modify_settings
from scheduler import job, scheduler
from scheduler.definitions import declarations
from scheduler.engine.maintenance.sync import SyncReport, sync
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests import bodies
from tests.settings import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("declared")]


def sync_now() -> SyncReport:
    return sync("default")


def one() -> Job:
    return Job.objects.get()


def test_a_declared_job_comes_in_with_the_next_leader_and_the_function_stays_a_function():
    assert job("interval", minutes=5, warn_after=9, max_retries=2)(bodies.tick) is bodies.tick
    assert not Job.objects.exists()

    report = sync_now()

    row = one()
    assert report.added == [row.id] == ["tests.tick"]
    assert (row.func, row.declared, row.state) == ("tests.bodies:tick", True, JobState.ACTIVE)
    assert (row.warn_after, row.max_retries, row.misfire_grace_time) == (9, 2, None)
    assert Change.objects.get().by == "code"


@pytest.mark.parametrize(
    "again",
    [
        lambda: job("interval", minutes=5, kwargs={"b": 1}, args=[1]),
        lambda: job(IntervalTrigger(minutes=5, timezone="UTC"), kwargs={"b": 1}, args=[1]),
    ],
    ids=["kind", "trigger"],
)
def test_what_the_code_says_again_changes_nothing(declared, again):
    again()(bodies.add)
    sync_now()
    before = Job.objects.values().get()

    declared()
    again()(bodies.add)
    report = sync_now()

    assert (report.added, report.changed, report.retired) == ([], [], [])
    assert Job.objects.values().get() == before


def test_a_change_made_by_somebody_survives_deploys_until_the_declaration_changes(declared):
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    scheduler.reschedule_job("tests.tick", trigger="interval", minutes=1)
    scheduler.modify_job("tests.tick", name="Mine")
    mine = Job.objects.values().get()

    declared()
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    assert Job.objects.values().get() == mine

    declared()
    job("interval", minutes=7, name="Theirs")(bodies.tick)
    assert sync_now().changed == ["tests.tick"]
    assert one().name == "Theirs"
    assert "420" in one().trigger or "7" in one().trigger


def test_a_change_of_the_code_beside_the_trigger_keeps_the_next_run(declared):
    job("cron", hour=3, warn_after=5)(bodies.tick)
    sync_now()
    due = one().next_run_time

    declared()
    job("cron", hour=3)(bodies.tick)
    sync_now()

    assert (one().warn_after, one().next_run_time) == (None, due)


def test_a_pause_survives_a_changed_declaration_and_reset_ends_it(declared):
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    scheduler.pause_job("tests.tick")
    declared()
    job("interval", minutes=6)(bodies.tick)
    sync_now()
    assert (one().state, one().next_run_time) == (JobState.PAUSED, None)

    scheduler.reset_job("tests.tick")

    assert one().state == JobState.ACTIVE
    assert one().next_run_time is not None


def test_reset_gives_the_declaration_back():
    job("interval", minutes=5, name="Declared")(bodies.tick)
    sync_now()
    trigger = one().trigger
    scheduler.reschedule_job("tests.tick", trigger="interval", hours=1)
    scheduler.modify_job("tests.tick", name="Mine", warn_after=3)

    scheduler.reset_job("tests.tick")

    row = one()
    assert (row.trigger, row.name, row.warn_after) == (trigger, "Declared", None)
    assert row.planned_trigger == trigger


def test_a_declaration_that_vanished_is_retired_and_comes_back(declared):
    job("interval", minutes=5)(bodies.tick)
    sync_now()
    uid = one().uid

    declared()
    assert sync_now().retired == ["tests.tick"]
    assert (one().state, one().next_run_time) == (JobState.RETIRED, None)
    assert scheduler.get_jobs() == []
    assert sync_now().retired == []

    job("interval", minutes=5)(bodies.tick)
    sync_now()
    assert (one().state, one().uid) == (JobState.ACTIVE, uid)
    assert one().next_run_time is not None


def test_jobs_that_code_added_at_run_time_are_not_retired():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="mine")
    sync_now()
    assert one().state == JobState.ACTIVE


def test_a_declared_job_whose_schedule_is_over_is_finished_and_stays(declared):
    for _ in range(2):
        declared()
        job("interval", hours=1, start_date="2020-01-01", end_date="2020-01-02")(bodies.tick)
        sync_now()
    assert (one().state, one().next_run_time) == (JobState.FINISHED, None)


def test_a_job_that_cannot_be_stored_stops_no_other():
    job("interval", minutes=1)(bodies.add)  # its argument is missing
    job("interval", minutes=1)(bodies.tick)

    report = sync_now()

    assert report.added == ["tests.tick"]
    assert "a" in report.errors["tests.add"]


def test_two_functions_under_one_id_are_refused():
    job("interval", minutes=1, id="same")(bodies.tick)
    with pytest.raises(ValueError, match=r"tests\.bodies:tick.*tests\.bodies:noop"):
        job("interval", minutes=1, id="same")(bodies.noop)


@pytest.mark.parametrize(
    "given",
    [{"trigger": "cron", "hour": 99}, {"trigger": "interval", "minutes": 1, "timeout": 5},
     {"trigger": "interval", "minutes": 1, "executor": "x"}, {"trigger": "interval", "minuts": 1}],
    ids=str,
)  # fmt: skip
def test_a_declaration_without_sense_fails_where_it_stands(given):
    with pytest.raises(ValueError, match=r"hour|timeout|executor|minutes"):
        job(**given)


def test_nested_functions_and_lambdas_are_refused():
    with pytest.raises(LookupError, match="nested"):
        job("interval", minutes=1)(lambda_in_a_function())


def test_scheduled_job_of_the_client_declares_and_writes_nothing():
    scheduler.scheduled_job("interval", [1], {"b": 2}, "sum", minutes=1)(bodies.add)
    assert not Job.objects.exists()
    sync_now()
    assert (one().id, one().args, one().kwargs) == ("sum", "[1]", '{"b":2}')


def test_scheduled_job_of_the_client_takes_what_apscheduler_takes():
    places = ("interval", None, None, "sum", None, 60, False, 2, undefined, "default", "processes")
    scheduler.scheduled_job(*places, minutes=5)(bodies.noop)
    sync_now()
    assert (one().id, one().misfire_grace_time, one().coalesce) == ("sum", 60, False)
    assert (one().max_instances, one().executor) == (2, "processes")


@pytest.fixture
def two_apps(monkeypatch, tmp_path):
    """Two installed apps with a ``jobs.py`` each, on disk as a project has them."""
    for label in ("alpha", "beta"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "__init__.py").touch()
        (tmp_path / label / "jobs.py").write_text(
            "from scheduler import job\n\n@job('interval', minutes=1)\ndef work(): pass\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    with modify_settings(INSTALLED_APPS={"append": ["alpha", "beta"]}):
        yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] in ("alpha", "beta")]:
        del sys.modules[name]


def test_an_import_error_in_one_app_stops_nothing_else_and_retires_none_of_its_jobs(
    two_apps, declared
):
    sync_now()
    assert sorted(Job.objects.values_list("id", flat=True)) == ["alpha.work", "beta.work"]

    declared()
    for name in ("alpha.jobs", "beta.jobs"):
        del sys.modules[name]
    (two_apps / "alpha" / "jobs.py").write_text("import no_such_module\n")
    (two_apps / "beta" / "jobs.py").write_text(
        "from scheduler import job\n\n@job('interval', minutes=1)\ndef other(): pass\n"
    )
    importlib.invalidate_caches()
    report = sync_now()

    states = dict(Job.objects.values_list("id", "state"))
    assert states == {
        "alpha.work": JobState.ACTIVE, "beta.work": JobState.RETIRED, "beta.other": JobState.ACTIVE,
    }  # fmt: skip
    assert "no_such_module" in report.errors["alpha"]
    assert declarations.errors.keys() == {"alpha"}


def lambda_in_a_function():
    def nested(): ...

    return nested


def test_importing_and_declaring_need_no_app_to_be_ready():
    code = (
        "import tests.settings\n"
        "from scheduler import current_run, job, scheduler\n"
        "from django.apps import apps\n"
        "from tests import bodies\n"
        "job('interval', minutes=1)(bodies.tick)\n"
        "assert not apps.ready and current_run is not None and scheduler is not None\n"
        "import django; django.setup()\n"
        "from scheduler.definitions.declarations import registered\n"
        "assert list(registered()) == ['tests.tick']\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
