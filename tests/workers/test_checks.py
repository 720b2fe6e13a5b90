"""What is wrong with the workers is said before anything runs, with the remedy."""

from __future__ import annotations

import pytest
from django.conf import settings as real
from django.core import checks
from django.test import override_settings
from scheduler import scheduler
from scheduler.checks.workers import check_workers
from scheduler.conf import conf

from tests.proof.conformance import bodies

REDIS = "redis://127.0.0.1:6379/0"
DATABASE_BACKEND = {"workers": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def found(**settings: object) -> dict[str, str]:
    """Ids and texts of the messages."""
    with override_settings(**settings):
        messages = check_workers(conf())
    return {message.id: message.msg for message in messages}


def test_without_workers_nothing_is_checked():
    assert found(CELERY_BROKER_URL="nonsense") == {}


def test_a_setting_that_is_unknown_is_named():
    assert found(APSCHEDULER_WORKERS="rq") == {
        "scheduler.E017": "APSCHEDULER_WORKERS is 'rq', which is unknown."
    }


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not set"),
        (None, "is not set"),
        ("localhost:6379", "has no scheme"),
        ("redis://host:port/0", "is no URL"),
        ("amqp:///", "names no host"),
        ("memory://", "names the broker in memory"),
        (6379, "is no text"),
    ],
)
def test_a_broker_url_that_leads_nowhere_is_refused(url, problem):
    messages = found(APSCHEDULER_WORKERS="celery", CELERY_BROKER_URL=url)
    assert problem in messages["scheduler.E014"]


def test_no_message_shows_the_password_of_the_broker():
    messages = found(APSCHEDULER_WORKERS="celery", CELERY_BROKER_URL="redis://:geheim@host:x/0")
    assert "geheim" not in str(messages)


@pytest.mark.parametrize("url", [REDIS, "amqp://guest:guest@host//", "sqs://", "rediss://h:1/0"])
def test_a_broker_url_is_accepted(url):
    assert found(APSCHEDULER_WORKERS="celery", CELERY_BROKER_URL=url) == {}


@pytest.mark.parametrize("missing", ["celery", "redis"])
def test_a_package_that_is_missing_is_named_with_the_command(monkeypatch, missing):
    monkeypatch.setattr("scheduler.checks.workers.find_spec", lambda name: name != missing or None)
    messages = found(APSCHEDULER_WORKERS="celery", CELERY_BROKER_URL=REDIS)
    assert missing in messages["scheduler.E013"]


def test_tasks_that_run_in_the_caller_are_refused_in_production():
    settings = {"APSCHEDULER_WORKERS": "celery", "CELERY_BROKER_URL": REDIS}
    assert "scheduler.E015" in found(CELERY_TASK_ALWAYS_EAGER=True, DEBUG=False, **settings)
    assert "scheduler.E015" not in found(CELERY_TASK_ALWAYS_EAGER=True, DEBUG=True, **settings)


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        ({}, "has no backend named 'workers'"),
        ({"workers": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}, "no worker"),
        ({"workers": {**DATABASE_BACKEND["workers"], "QUEUES": ["mail"]}}, "lack 'scheduler'"),
    ],
)
def test_tasks_settings_that_reach_no_worker_are_refused(tasks, problem):
    messages = found(APSCHEDULER_WORKERS="django-tasks", TASKS=tasks)
    assert problem in messages["scheduler.E016"]


def test_a_database_backend_for_workers_is_accepted():
    assert found(APSCHEDULER_WORKERS="django-tasks", TASKS=DATABASE_BACKEND) == {}


def test_a_time_to_live_shorter_than_three_signs_of_life_is_refused():
    settings = {"APSCHEDULER_WORKERS": "django-tasks", "TASKS": DATABASE_BACKEND}
    assert "scheduler.E012" in found(APSCHEDULER_WORKER_TTL=4.0, **settings)


@pytest.mark.parametrize(
    ("engine", "workers", "said"),
    [("sqlite3", "celery", True), ("sqlite3", "", False), ("postgresql", "celery", False)],
)
def test_a_deployment_on_sqlite_is_told_that_its_workers_need_this_host_and_passes(
    monkeypatch, engine, workers, said
):
    """They work there, so it is no warning: that would fail ``--fail-level WARNING``."""
    database = {**real.DATABASES["default"], "ENGINE": f"django.db.backends.{engine}"}
    monkeypatch.setitem(real.DATABASES, "default", database)
    settings = {"APSCHEDULER_WORKERS": workers, "CELERY_BROKER_URL": REDIS}
    with override_settings(**settings):
        usual = [message.id for message in checks.run_checks()]
        deploying = checks.run_checks(include_deployment_checks=True)
    assert "scheduler.I001" not in usual, "each command would print it"
    told = [message for message in deploying if message.id == "scheduler.I001"]
    assert [message.level for message in told] == ([checks.INFO] if said else [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"APSCHEDULER_WORKERS": "django-tasks"}, "a worker of Django's Tasks API"),
        ({"APSCHEDULER_WORKERS": "celery", "CELERY_WORKER_POOL": "threads"}, "Celery's pool"),
    ],
)
def test_a_timeout_that_no_worker_can_enforce_is_refused_at_the_call(settings, who):
    with override_settings(**settings), pytest.raises(ValueError, match=who):
        scheduler.add_job(bodies.note, "interval", seconds=5, executor="workers", timeout=3)


@pytest.mark.django_db
@pytest.mark.parametrize("chosen", ["", "celery"])
def test_a_timeout_of_workers_is_accepted_where_it_is_enforced(chosen):
    with override_settings(APSCHEDULER_WORKERS=chosen):
        scheduler.add_job(bodies.note, "interval", seconds=5, executor="workers", timeout=3)
