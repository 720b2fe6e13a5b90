"""Sentry, where ``SENTRY_DSN`` is set and its package is installed."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

RUN_LOGS = ("scheduler.events", "scheduler.reconcile")


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
        # Without the values of variables: those of jobs may be secret.
        sentry_sdk.init(dsn=dsn, include_local_variables=False, before_send=without_run_logs)
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is malformed: {error}") from None


def without_run_logs(event: Any, hint: dict[str, Any]) -> Any:
    """Drop what the log says of a run: scheduler/alerts.py reports it, once no retry is left.

    A receiver of a signal that failed is in the same log, with its exception.
    """
    record = hint.get("log_record")
    if record is None or record.exc_info or record.name not in RUN_LOGS:
        return event
    return None
