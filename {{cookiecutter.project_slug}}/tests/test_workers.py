"""APSCHEDULER_WORKERS and CELERY_BROKER_URL: what is wrong is told at once, with its remedy."""

from __future__ import annotations

import re
import socket
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config.workers import PACKAGES, broker, why_silent, workers
from tests.test_settings import PRODUCTION, ROOT, manage

SECRET = "CANARY%2Fpassword"


def test_inline_is_no_workers() -> None:
    assert workers("inline") == ""


def test_an_answer_that_nobody_knows_is_named_with_those_that_are() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'rq'\. Accepted are inline, celery, "):
        workers("rq")


@pytest.mark.parametrize("answer", ["celery", "django-tasks"])
def test_a_package_that_is_missing_is_named_with_what_brings_it(answer: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[answer], None)
    with pytest.raises(ImproperlyConfigured, match=re.escape(f"install -e '.[{answer}]'")):
        workers(answer)
    assert f"\n{answer} = [" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@broker:6379/0",
        f"rediss://:{SECRET}@broker",
        f"amqp://me:{SECRET}@[::1]:5672//",
        "amqps://broker/%2Fvhost",
    ],
)
def test_a_broker_is_taken_as_it_stands(url: str) -> None:
    assert broker(url, debug=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "broker:6379",
        "http://broker/",
        "redis:///0",
        f"redis://:{SECRET}@broker:many/0",
        f"redis://:{SECRET}@broker:70000/0",
        f"redis://:{SECRET}@broker/first",
        f"amqp://me:{SECRET}@[::1/",
        "amqp://me:CANARY/pass@broker",
    ],
)
def test_a_malformed_broker_is_refused_and_its_password_not_repeated(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"malformed|%2F") as refused:
        broker(url, debug=True)
    assert "CELERY_BROKER_URL" in str(refused.value)
    assert "CANARY" not in str(refused.value)


def test_production_names_its_broker_and_development_takes_this_machine_s_redis() -> None:
    with pytest.raises(ImproperlyConfigured, match="CELERY_BROKER_URL is not set"):
        broker("", debug=False)
    assert broker("", debug=True) == "redis://127.0.0.1:6379/0"


def test_no_broker_is_asked_for_without_workers() -> None:
    unread = {"APSCHEDULER_WORKERS": "inline", "CELERY_BROKER_URL": "nonsense"}
    run = manage("check", **{**PRODUCTION, **unread})
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", ["redis://:{}@{}:{}/0", "amqp://me:{}@{}:{}//"])
def test_a_broker_that_says_nothing_is_a_reason_within_its_time(kind: str) -> None:
    pytest.importorskip("kombu", reason="Celery is not installed")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        why = why_silent(kind.format(SECRET, *silent.getsockname()), seconds=0.2)
    assert "time" in why.lower()


def test_the_check_of_a_broker_that_refuses_says_how_to_start_one(settings) -> None:
    pytest.importorskip("kombu", reason="Celery is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.CELERY_BROKER_URL = f"redis://:{SECRET}@127.0.0.1:{port}/0"
    with pytest.raises(SystemCheckError) as refused:
        call_command("check", tags=["broker"], deploy=True, fail_level="WARNING")
    told = str(refused.value)
    assert f"does not answer at redis://127.0.0.1:{port}" in told
    assert "apt-get install redis-server" in told
    assert "CANARY" not in told
