"""Sentry, where ``SENTRY_DSN`` is set and its package is installed."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured


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
        sentry_sdk.init(dsn=dsn)
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is malformed: {error}") from None
