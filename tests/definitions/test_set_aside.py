"""What a reloaded web process says of a job that the scheduler beside it cannot load yet."""

from __future__ import annotations

import json
import math
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from scheduler import codeversion, scheduler
from scheduler.definitions import changes, loading
from scheduler.errors import DefinitionError
from scheduler.models import Job
from scheduler.monitoring import health

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)
RESTART = "It can be loaded here: restart the scheduler"
SETTING = "APSCHEDULER_ALLOWED_MODULES"


@pytest.fixture(autouse=True)
def files_read_a_moment_ago(monkeypatch):
    """Another test's apps are other code: here, nothing has changed on disk since the start."""
    monkeypatch.setattr(codeversion, "_changed", False)
    monkeypatch.setattr(codeversion, "_check_at", math.inf)


def set_aside() -> Job:
    """As a scheduler sets it aside that runs with the settings and code of this moment."""
    job = Job.objects.get()
    with pytest.raises(DefinitionError) as error:
        loading.decode(job, "func")
    changes.quarantine(job, str(error.value), "default")
    return Job.objects.get()


@pytest.fixture
def job(settings) -> Job:
    """The function of an app that the scheduler had not in its settings when it began."""
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    settings.APSCHEDULER_ALLOWED_MODULES = []
    job = set_aside()
    assert SETTING in job.last_error
    settings.APSCHEDULER_ALLOWED_MODULES = ["tests"]
    return job


def test_pages_name_the_restart_and_no_setting(job, admin_client):
    for page in (
        reverse("admin:scheduler_job_change", args=["a"]),
        reverse("admin:scheduler_job_changelist"),
    ):
        text = admin_client.get(page).content.decode()
        assert RESTART in text
        assert SETTING not in text


def test_health_and_commands_name_the_restart_and_no_setting(job):
    (text,) = (text for text in health.read("default").warnings if "'a'" in text)
    with StringIO() as out:
        call_command("scheduler", "show", "a", "--json", stdout=out)
        shown = json.loads(out.getvalue())["last_error"]
    with pytest.raises(LookupError) as refused:
        scheduler.run_now("a")
    for said in (text, shown, str(refused.value)):
        assert RESTART in said
        assert SETTING not in said


def test_a_function_that_only_the_scheduler_lacks_asks_for_a_restart(monkeypatch):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    with monkeypatch.context() as older:
        older.delattr(bodies, "noop")
        job = set_aside()
    assert RESTART in loading.why_set_aside(job)


def test_a_function_that_no_process_may_call_still_asks_for_the_setting(job, settings):
    settings.APSCHEDULER_ALLOWED_MODULES = []
    assert loading.why_set_aside(job) == job.last_error


def test_another_reason_stays_as_it_is(job):
    job.last_error = "The trigger of job 'a' cannot be loaded: no such kind"
    assert loading.why_set_aside(job) == job.last_error
