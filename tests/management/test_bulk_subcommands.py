"""``manage.py scheduler pause``, ``resume`` and ``remove``: of several jobs all, or none."""

from __future__ import annotations

import pytest
from scheduler import job as declare
from scheduler import scheduler
from scheduler.definitions import declarations
from scheduler.engine.maintenance.sync import sync
from scheduler.models import Job
from scheduler.models.job import JobState

from tests import bodies
from tests.management.test_subcommands import answer, call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def jobs():
    for name in ("a", "b"):
        scheduler.add_job(bodies.noop, "interval", hours=1, id=name)


def left() -> list[tuple[str, str]]:
    return list(Job.objects.order_by("id").values_list("id", "state"))


def test_bulk_subcommands_act_on_all_jobs():
    assert [row["state"] for row in answer("pause", "a", "b")] == ["paused", "paused"]
    assert [row["state"] for row in answer("resume", "a")] == ["active"]
    assert left() == [("a", JobState.ACTIVE), ("b", JobState.PAUSED)]
    assert answer("remove", "a", "b")[1] == {"id": "b", "state": "removed", "declared": False}
    assert left() == []


@pytest.mark.parametrize("command", ["pause", "resume", "remove"])
def test_or_on_none_and_no_log_claims_otherwise(command, caplog):
    caplog.set_level("INFO")
    before = left()
    code, said = call(command, "a", "gone", "b", "lost")
    assert code == 3
    assert said == "No job by the id of gone, lost was found. Nothing was changed."
    assert left() == before
    assert caplog.messages == []


def test_of_one_job_it_goes_without_saying_that_nothing_changed():
    assert call("remove", "gone") == (3, "There is no job 'gone'")


def test_an_error_in_the_middle_changes_nothing_either():
    Job.objects.update(state=JobState.PAUSED)
    Job.objects.filter(pk="b").update(func="gone:gone")
    code, said = call("resume", "a", "b")
    assert (code, said.endswith("Nothing was changed.")) == (1, True)
    assert left() == [("a", JobState.PAUSED), ("b", JobState.PAUSED)]


def test_an_id_that_is_said_twice_is_meant_once():
    assert call("remove", "a", "b", "a") == (0, "Removed a\nRemoved b\n")


def test_whoever_removes_a_declared_job_hears_that_it_comes_back(monkeypatch):
    monkeypatch.setattr(declarations, "_declared", [])
    declare("interval", minutes=5, id="tick")(bodies.tick)
    sync("default")

    code, said = call("remove", "tick", "a")

    assert (code, "Removed tick. It is declared in code" in said, "delete its @job" in said) == (
        0,
        True,
        True,
    )
    assert said.endswith("Removed a\n")
    assert sync("default").added == ["tick"]
    assert answer("remove", "tick")[0]["declared"] is True


def test_all_pauses_the_cluster_and_no_job(leader):
    before = left()
    assert answer("pause", "--all", "--by", "alice") == {"paused": True, "running": 0}
    assert (scheduler.paused, left()) == (True, before)
    status = answer("status")
    assert (status["ok"], status["status"], status["paused_by"]) == (True, "degraded", "alice")
    said = call("status")[1].splitlines()
    assert said[0] == "OK, degraded"
    assert "resume --all" in said[1]
    assert said[2].startswith("Paused since ")
    assert said[2].endswith(" by alice.")
    assert "The scheduler is paused" in call("run", "a")[1]
    assert answer("resume", "--all") == {"paused": False}
    assert (scheduler.paused, answer("status")["status"]) == (False, "ok")


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize("words", [(), ("--all", "a")])
def test_either_jobs_or_all_are_named(command, words):
    assert call(command, *words) == (1, "name one or more jobs, or give --all")


def test_no_run_is_late_while_the_cluster_is_paused(leader):
    Job.objects.filter(pk="a").update(next_run_time="2020-01-01T00:00Z")
    assert answer("status", code=4)["status"] == "failing"
    scheduler.pause()
    assert answer("status")["status"] == "degraded"
