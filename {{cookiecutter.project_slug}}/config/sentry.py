"""Sentry, where ``SENTRY_DSN`` is set and its package is installed."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .redaction import redacted_all

RUN_LOGS = ("scheduler.events", "scheduler.reconcile", "django.tasks", "django_tasks")


def start_sentry(dsn: str) -> None:
    """Report errors to ``dsn``, from web workers and from the scheduler.

    Raises:
        ImproperlyConfigured: the package is missing, or the DSN is malformed.
    """
    try:
        import sentry_sdk
    except ImportError:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but its package is missing: python -m pip install -e '.[sentry]'"
        ) from None
    try:
        sentry_sdk.init(
            dsn=dsn,
            # Neither the values of variables nor those of forms: the arguments of jobs may be
            # secret.
            include_local_variables=False,
            max_request_body_size="never",
            before_send=before_send,
        )
    except sentry_sdk.utils.BadDsn:  # whose text may repeat the key
        raise ImproperlyConfigured(
            "SENTRY_DSN is malformed. Accepted is https://KEY@HOST/PROJECT, as Sentry shows it."
        ) from None


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """Return the event without credentials, or None to drop it."""
    return redacted_all(without_run_logs(event, hint))


def without_run_logs(event: Any, hint: dict[str, Any]) -> Any:
    """Drop log records of failed runs: alerts.py reports a run once no retry is left.

    A receiver of a signal that failed is in the same log, with its exception.
    """
    record = hint.get("log_record")
    has_error = record is not None and record.exc_info and record.exc_info[0]
    if record is None or has_error or record.name not in RUN_LOGS:
        return event
    return None
