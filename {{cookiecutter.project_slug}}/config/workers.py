"""``APSCHEDULER_WORKERS`` and ``CELERY_BROKER_URL``: who runs the jobs of the executor ``workers``.

A complaint never repeats the broker's URL: it holds a password.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import refuse_unencoded_login

PACKAGES = {"inline": "", "celery": "celery", "django-tasks": "django_tasks_db"}
"""What each answer imports; the extra of the same name in pyproject.toml brings it."""

BROKERS = ("redis", "rediss", "amqp", "amqps")
ACCEPTED = """Accepted are
  redis://:PASSWORD@HOST:6379/0 (rediss:// with TLS)
  amqp://USER:PASSWORD@HOST:5672/VHOST (RabbitMQ; amqps:// with TLS)
with special characters in USER and PASSWORD percent-encoded."""

TASKS = {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["scheduler"]}
"""The backend ``workers`` of ``TASKS``: a row for each message, in the project's database."""


def workers(answer: str) -> str:
    """Return the scheduler's setting for ``inline``, ``celery`` or ``django-tasks``.

    Raises:
        ImproperlyConfigured: another answer, or one whose package is not installed.
    """
    if answer not in PACKAGES:
        raise ImproperlyConfigured(
            f"APSCHEDULER_WORKERS is {answer!r}. Accepted are {', '.join(PACKAGES)}."
        )
    if answer == "inline":
        return ""
    if find_spec(PACKAGES[answer]) is None:
        raise ImproperlyConfigured(
            f"APSCHEDULER_WORKERS is {answer}, but its package is missing: "
            f"python -m pip install -e '.[{answer}]'"
        )
    return answer


def broker(url: str, debug: bool) -> str:
    """Return the URL of Celery's broker; in development this machine's Redis if there is none.

    Raises:
        ImproperlyConfigured: no URL in production, or a malformed one.
    """
    if not url:
        if debug:
            return "redis://127.0.0.1:6379/0"
        raise ImproperlyConfigured(
            f"CELERY_BROKER_URL is not set, and APSCHEDULER_WORKERS is celery. {ACCEPTED}"
        )
    refuse_unencoded_login("CELERY_BROKER_URL", url)
    try:
        parts = urlsplit(url)
        whole = parts.scheme in BROKERS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none; its text may repeat a part of the password
        whole = False
    number = url.partition("://")[2].partition("/")[2].partition("?")[0]
    if not whole or (url.startswith("redis") and number and not number.isdecimal()):
        raise ImproperlyConfigured(f"CELERY_BROKER_URL is malformed. {ACCEPTED}") from None
    return url


def load_celery_app() -> None:
    """Import the project's Celery app, through which a scheduler publishes.

    Raises:
        ImproperlyConfigured: the project has none.
    """
    if find_spec("config.celery") is None:
        raise ImproperlyConfigured(
            "APSCHEDULER_WORKERS is celery, and there is no config/celery.py: docs/scale.md has it."
        )
    import_module("config.celery")


def why_silent(url: str, seconds: float = 3) -> str:
    """Ask the broker for a connection; return why there is none, or an empty text."""
    from kombu import Connection

    # Redis waits for an answer without end unless both are set, AMQP the last two.
    patience: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if url.startswith("amqp"):
        patience = {"read_timeout": seconds, "write_timeout": seconds}
    connection = Connection(url, connect_timeout=seconds, transport_options=patience)
    try:
        connection.ensure_connection(max_retries=0, timeout=seconds)
    except Exception as error:  # each broker's client has its own
        return str(error) or type(error).__name__
    finally:
        connection.release()
    return ""
