"""System checks of ``APSCHEDULER_WORKERS``: what would publish runs that nobody ever gets."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register
from django.core.exceptions import ImproperlyConfigured

from ..conf import QUEUE, WORKERS, Conf, conf

DOES_NOT_KEEP = ("ImmediateBackend", "DummyBackend", "SchedulerBackend")
"""Backends that run a task in whoever enqueues it, or keep it from every worker."""
DRIVERS = {"redis": "redis", "rediss": "redis", "sentinel": "redis"}
"""Schemes of brokers that need a package beside Celery."""


def check_workers(options: Conf) -> list[CheckMessage]:
    """Return what is wrong with the workers that the settings choose."""
    if not options.WORKERS:
        return []
    if options.WORKERS not in WORKERS:
        return [
            Error(
                f"APSCHEDULER_WORKERS is {options.WORKERS!r}, which is unknown.",
                hint=f"Known: {', '.join(WORKERS)}; empty for none.",
                id="scheduler.E017",
            )
        ]
    messages = _celery() if options.WORKERS == "celery" else _django_tasks()
    if options.WORKER_TTL < 3 * options.LEASE_RENEW:
        messages.append(
            Error(
                f"APSCHEDULER_WORKER_TTL ({options.WORKER_TTL:g} s) is too short: one late "
                "heartbeat of a worker would lose its runs.",
                hint=f"Set it to at least {3 * options.LEASE_RENEW:g}.",
                id="scheduler.E012",
            )
        )
    return messages


@register(deploy=True)
def check_reach(**_: Any) -> list[CheckMessage]:
    """Say at a deployment which hosts workers may run on. With SQLite that is one, which works."""
    try:
        options = conf()
    except ImproperlyConfigured:  # which check_settings reports
        return []
    engine = str(settings.DATABASES.get(options.DATABASE, {}).get("ENGINE", ""))
    if not options.WORKERS or not engine.endswith("sqlite3"):
        return []
    return [
        Info(
            "Workers with SQLite must all run on this host: they claim their runs in its file.",
            hint="Use PostgreSQL, MariaDB or MySQL before you start workers on another host.",
            id="scheduler.I001",
        )
    ]


def _celery() -> list[CheckMessage]:
    if find_spec("celery") is None:
        return [_missing("celery", "pip install 'celery[redis]', or celery alone for RabbitMQ")]
    url = getattr(settings, "CELERY_BROKER_URL", "")
    messages: list[CheckMessage] = []
    if problem := _broker_problem(url):
        messages.append(
            Error(
                f"APSCHEDULER_WORKERS is 'celery', and CELERY_BROKER_URL {problem}.",
                hint="Write it like redis://host:6379/0 or amqp://user:password@host:5672/vhost.",
                id="scheduler.E014",
            )
        )
    elif (driver := DRIVERS.get(urlsplit(url).scheme)) and find_spec(driver) is None:
        messages.append(_missing(driver, f"pip install {driver}"))
    if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False) and not settings.DEBUG:
        messages.append(
            Error(
                "CELERY_TASK_ALWAYS_EAGER makes this process run tasks itself, outside of tests "
                "and development.",
                hint="Remove it from the production settings.",
                id="scheduler.E015",
            )
        )
    return messages


def _broker_problem(url: Any) -> str:
    """Return what is wrong with the URL, without the URL: it may hold a password."""
    if not url:
        return "is not set"
    if not isinstance(url, str):
        return f"is no text but {type(url).__name__}"
    try:
        parts = urlsplit(url.split(";")[0])
        port = parts.port
    except ValueError:
        return "is no URL"
    if not parts.scheme or "://" not in url:
        return "has no scheme"
    if port is None and not parts.hostname and parts.scheme in ("redis", "rediss", "amqp", "amqps"):
        return "names no host"
    if parts.scheme == "memory":
        return "names the broker in memory, which no other process can reach"
    return ""


def _django_tasks() -> list[CheckMessage]:
    if django.VERSION < (6, 0) and find_spec("django_tasks") is None:
        return [_missing("django_tasks", "pip install django-tasks django-tasks-db")]
    backend = getattr(settings, "TASKS", {}).get("workers")
    if backend is None:
        problem = "has no backend named 'workers'"
    elif str(backend.get("BACKEND", "")).rpartition(".")[2] in DOES_NOT_KEEP:
        problem = f"names {backend['BACKEND']} as 'workers', which hands tasks to no worker"
    elif QUEUE not in (backend.get("QUEUES") or [QUEUE]):
        problem = f"names a backend 'workers' whose QUEUES lack {QUEUE!r}"
    else:
        return []
    return [
        Error(
            f"APSCHEDULER_WORKERS is 'django-tasks', and TASKS {problem}.",
            hint='Such as TASKS["workers"] = {"BACKEND": "django_tasks_db.DatabaseBackend", '
            f'"QUEUES": ["{QUEUE}"]}}.',
            id="scheduler.E016",
        )
    ]


def _missing(module: str, remedy: str) -> CheckMessage:
    return Error(
        f"APSCHEDULER_WORKERS needs the package {module}, which is not installed.",
        hint=f"Run: {remedy}.",
        id="scheduler.E013",
    )
