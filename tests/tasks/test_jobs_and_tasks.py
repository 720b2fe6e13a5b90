"""A schedule may name a task: ``@job`` above or below ``@task``, and ``add_job(my_task)``."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from scheduler import job, scheduler
from scheduler.definitions import declarations, task_functions
from scheduler.models import Job
from scheduler.testing import assert_scheduled, run_due, scheduler_clock, sync_declared

from tests.admin.posting import fields_of
from tests.management.test_subcommands import call

from . import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def module(monkeypatch) -> ModuleType:
    """A module in which a test defines a task under a name that the scheduler can import."""
    made = ModuleType("tests.tasks.written")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def written(module: ModuleType, name: str) -> Any:
    def body() -> str:
        return f"{name} ran"

    body.__module__, body.__qualname__, body.__name__ = module.__name__, name, name
    return body


@pytest.mark.parametrize("above", [True, False])
def test_job_above_or_below_task(declared, module, scheduler_clock, above):
    function = written(module, "both")
    if above:
        module.both = job("interval", minutes=1)(bodies.task(function))
    else:
        module.both = bodies.task(job("interval", minutes=1)(function))

    assert isinstance(module.both, type(bodies.add)), "it is still a task"
    [declaration] = declarations.registered().values()
    assert declaration.id == "tests.both"
    sync_declared()
    scheduler_clock.tick(minutes=1)
    [by_schedule] = run_due()
    assert (by_schedule.job_id, by_schedule.return_value) == ("tests.both", '"both ran"')

    module.both.enqueue()
    [by_hand] = run_due()
    assert by_hand.job_id == "task:tests.tasks.written.both"


def test_add_job_takes_a_task(scheduler_clock):
    scheduler.add_job(bodies.add, "interval", minutes=5, args=[1], kwargs={"b": 2}, id="sum")
    assert_scheduled(bodies.add, args=[1], kwargs={"b": 2})
    assert Job.objects.get().func == "tests.tasks.bodies:add"
    scheduler_clock.tick(minutes=5)
    assert [row.return_value for row in run_due()] == ["3"]


def test_add_job_and_modify_job_take_the_name_of_a_task(scheduler_clock):
    scheduler.add_job("tests.tasks.bodies:later", "interval", minutes=5, id="by-name")
    scheduler.modify_job("by-name", func=bodies.own_id)
    scheduler_clock.tick(minutes=5)
    [row] = run_due()
    assert row.status == "succeeded", row.traceback


def test_the_command_adds_a_job_of_a_task(scheduler_clock):
    words = ("tests.tasks.bodies:add", "interval", "minutes=5", "--args", "[1]", "--id", "sum")
    assert call("add", *words)[0] == 0
    scheduler_clock.tick(minutes=5)
    assert [row.return_value for row in run_due()] == ["1"]


def test_the_form_of_the_admin_adds_a_job_of_a_declared_task(
    admin_client, declared, module, scheduler_clock
):
    module.both = job("interval", minutes=1)(bodies.task(written(module, "both")))
    address = "/admin/scheduler/job/add/?func=tests.tasks.written:both"
    shown = fields_of(admin_client.get(address))
    every = {"schedule": "interval", "interval_minutes": "5", "timezone": "UTC"}
    answer = admin_client.post(address, shown | every | {"id": "often", "name": "Often"})
    assert answer.status_code == 302, answer.context["form"].errors
    scheduler_clock.tick(minutes=5)
    [row] = run_due()
    assert (row.job_name, row.return_value) == ("Often", '"both ran"'), row.traceback


def test_a_scheduled_task_gets_its_context(scheduler_clock):
    scheduler.add_job(bodies.own_id, "interval", minutes=5, kwargs={"suffix": "!"}, id="own")
    scheduler_clock.tick(minutes=5)
    [row] = run_due()
    assert row.return_value == f'"{row.job_uid}!"'


def test_what_the_task_does_not_take_is_refused_at_the_call():
    with pytest.raises(ValueError, match="suffixes"):
        scheduler.add_job(bodies.own_id, "interval", minutes=5, kwargs={"suffixes": "!"})
    assert not Job.objects.exists()


def test_other_jobs_keep_results_that_json_cannot_carry(scheduler_clock):
    scheduler.add_job(bodies.give_object, "date", id="once")
    scheduler_clock.tick(timedelta(seconds=1))
    [row] = run_due()
    assert row.status == "succeeded"
    assert "$repr" in row.return_value


def test_a_thread_that_asks_while_another_imports_the_tasks_api_finds_no_task(monkeypatch):
    """A run of a plain function failed while the first task of the process was being imported."""
    half = ModuleType("django_tasks.base")  # as it stands in sys.modules until its body has run
    monkeypatch.setitem(sys.modules, "django_tasks.base", half)
    assert not task_functions.is_task(print)
