"""What makes no sense is refused at the call, precisely, and nothing is stored."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.base import BaseTrigger
from scheduler import scheduler
from scheduler.errors import NotHereError
from scheduler.models import Change, Job

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"func": lambda: None, "args": []}, LookupError, "lambda"),
        ({"func": "tests.bodies:nothing"}, LookupError, "nothing"),
        ({"func": "os:getcwd", "args": []}, LookupError, "APSCHEDULER_ALLOWED_MODULES"),
        ({"func": "home.jobs.send_reminder"}, ValueError, "home.jobs:send_reminder"),
        ({"func": 3}, TypeError, "callable"),
        ({"args": [1, 2, 3]}, ValueError, "positional arguments"),
        ({"args": []}, ValueError, "not been supplied"),
        ({"kwargs": {"c": 1}}, ValueError, "does not accept"),
        ({"args": "one"}, ValueError, "positional arguments"),
        ({"args": [object()]}, TypeError, "args\\[0\\]: a value of type object cannot"),
        ({"kwargs": {"b": {1: threading.Lock()}}}, TypeError, "kwargs"),
        ({"trigger": "cron", "hour": 25}, ValueError, "hour"),
        ({"trigger": "cron", "month": 2, "day": 30}, ValueError, "never fires|day"),
        ({"trigger": "interval", "minutes": 0}, ValueError, "interval"),
        (
            {"trigger": "interval", "minutes": 1, "start_date": "2030-01-02",
             "end_date": "2030-01-01"}, ValueError, "end_date",
        ),
        ({"trigger": "cron", "timezone": "Mars/Olympus"}, ValueError, "Mars/Olympus"),
        ({"trigger": "sometimes"}, ValueError, "sometimes"),
        ({"trigger": "intervl", "minutes": 1}, ValueError, "did you mean interval?"),
        ({"trigger": "interval", "minuts": 1}, ValueError, "did you mean minutes?"),
        (
            {"trigger": "interval", "minutes": 1, "max_retry": 3}, ValueError,
            "max_retry: unknown argument of the interval trigger; did you mean max_retries?",
        ),
        ({"trigger": "@daily", "timeoute": 3}, ValueError, "did you mean timeout?"),
        (
            {"trigger": "interval", "minutes": 1, "xyz": 3}, ValueError,
            "known: weeks, .*; of the job: name, .*on_lost",
        ),
        ({"trigger": 7}, TypeError, "int"),
        ({"trigger": "61 * * * *"}, ValueError, "61"),
        ({"executor": "prozesse"}, ValueError, "default, processes"),
        ({"jobstore": "other"}, KeyError, "other"),
        ({"id": "x" * 256}, ValueError, "255"),
        ({"id": 5}, TypeError, "id"),
        ({"id": "nul\0"}, ValueError, "may not contain"),
        ({"name": "x" * 256}, ValueError, "255"),
        ({"max_instances": 0}, TypeError, "max_instances"),
        ({"misfire_grace_time": 0}, TypeError, "misfire_grace_time"),
        ({"timeout": 0, "executor": "processes"}, ValueError, "more than 0"),
        ({"timeout": "5", "executor": "processes"}, TypeError, "number of seconds"),
        ({"timeout": 5}, ValueError, "a thread cannot be ended"),
        ({"max_retries": -1}, ValueError, "max_retries"),
        ({"retry_delay": float("nan")}, ValueError, "retry_delay"),
        ({"on_lost": "shrug"}, ValueError, "fail, retry"),
        ({"sensitive": "b"}, TypeError, "sensitive"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_at_the_call_and_nothing_is_stored(given, error, says):
    options = {"func": bodies.add, "args": [1]} | given
    if "trigger" not in given:
        options |= {"trigger": "date", "run_date": LATER}

    with pytest.raises(error, match=says):
        scheduler.add_job(**options)

    assert not Job.objects.exists()
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("modify_job", {"name": "n"}),
        ("reschedule_job", {"trigger": "interval", "hours": 1}),
        ("pause_job", {}),
        ("resume_job", {}),
        ("remove_job", {}),
        ("run_now", {}),
        ("retry_job", {}),
        ("retire_job", {}),
        ("reset_job", {}),
    ],
)
def test_an_unknown_id_is_said(call, arguments):
    with pytest.raises(JobLookupError, match="nobody"):
        getattr(scheduler, call)("nobody", **arguments)


@pytest.mark.parametrize(
    "changes",
    [{"kwargs": {"c": 1}}, {"func": "tests.bodies:gone"}, {"executor": "x"}, {"nonsense": 1},
     {"timeout": 5}, {"id": "b"}],
    ids=str,
)  # fmt: skip
def test_a_modification_that_makes_no_sense_changes_nothing(changes):
    scheduler.add_job(bodies.add, "date", run_date=LATER, args=[1], id="a")
    before = Job.objects.values().get()

    with pytest.raises((ValueError, LookupError, AttributeError)):
        scheduler.modify_job("a", **changes)

    assert Job.objects.values().get() == before


def test_a_timeout_that_nothing_enforces_comes_in_by_neither_column():
    options = {"executor": "processes", "timeout": 5}
    scheduler.add_job(bodies.noop, "date", run_date=LATER, id="a", **options)
    with pytest.raises(ValueError, match="a thread cannot be ended"):
        scheduler.modify_job("a", executor="default")
    job = Job.objects.get()
    assert (job.executor, job.timeout) == ("processes", 5)
    scheduler.modify_job("a", executor="default", timeout=None)
    with pytest.raises(ValueError, match="a thread cannot be ended"):
        scheduler.modify_job("a", timeout=5)
    scheduler.modify_job("a", executor="processes", timeout=7)
    job.refresh_from_db()
    assert (job.executor, job.timeout) == ("processes", 7)


@pytest.mark.parametrize("given", [{"jobstore": "other"}, {"next_run_time": None}], ids=str)
def test_what_a_declaration_cannot_mean_is_refused(given):
    with pytest.raises((NotHereError, ValueError), match=r"one job store|next_run_time"):
        scheduler.scheduled_job("interval", minutes=5, **given)


def test_a_new_schedule_takes_nothing_of_the_job():
    scheduler.add_job(bodies.noop, "date", run_date=LATER, id="a")
    with pytest.raises(ValueError, match=r"timeout: is of the job.*modify_job"):
        scheduler.reschedule_job("a", trigger="interval", minutes=1, timeout=3)
    with pytest.raises(ValueError, match="write it like tests\\.bodies:add"):
        scheduler.modify_job("a", func="tests.bodies.add")


def test_what_cannot_be_stored_is_told_by_its_type(settings):
    class Own(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            return LATER

    with pytest.raises(ValueError, match=r"a trigger of type tests\..*Own cannot be stored"):
        scheduler.add_job(bodies.noop, Own())
    settings.APSCHEDULER_ALLOW_PICKLE = True
    with pytest.raises(TypeError, match="a value of type lock cannot be pickled"):
        scheduler.add_job(bodies.add, args=[threading.Lock()])
    assert not Job.objects.exists()
