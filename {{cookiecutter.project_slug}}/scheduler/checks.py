"""System checks: settings that would break a promise are refused before anything runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .conf import Conf, conf


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Durations that fit together, a database that exists, time zone support."""
    try:
        options = conf()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="scheduler.E001")]
    return [*_durations(options), *_counts(options), *_surroundings(options)]


def _durations(options: Conf) -> list[CheckMessage]:
    ttl, renew, margin = options.LEASE_TTL, options.LEASE_RENEW, options.LEASE_MARGIN
    messages: list[CheckMessage] = []
    if min(ttl, renew, margin, options.STANDBY_INTERVAL, options.POLL_INTERVAL) <= 0:
        return [Error("APSCHEDULER durations must be more than 0 seconds.", id="scheduler.E002")]
    if ttl < 3 * renew:
        messages.append(
            Error(
                f"APSCHEDULER_LEASE_TTL ({ttl:g} s) is less than three times "
                f"APSCHEDULER_LEASE_RENEW ({renew:g} s): one late renewal would cost the lease.",
                hint=f"Set APSCHEDULER_LEASE_TTL to at least {3 * renew:g}.",
                id="scheduler.E003",
            )
        )
    if margin > ttl / 3:
        messages.append(
            Error(
                f"APSCHEDULER_LEASE_MARGIN ({margin:g} s) is more than a third of "
                f"APSCHEDULER_LEASE_TTL ({ttl:g} s): jobs would be held back by every short delay.",
                hint=f"Set APSCHEDULER_LEASE_MARGIN to at most {ttl / 3:g}.",
                id="scheduler.E004",
            )
        )
    if options.DRAIN_TIMEOUT < 0:
        messages.append(
            Error("APSCHEDULER_DRAIN_TIMEOUT must not be negative.", id="scheduler.E005")
        )
    return messages


def _counts(options: Conf) -> list[CheckMessage]:
    small = [
        name
        for name in ("MAX_WORKERS", "CATCH_UP_LIMIT", "KEEP_PER_JOB", "MAX_LOG_CHARS")
        if getattr(options, name) < 1
    ]
    return [Error(f"APSCHEDULER_{name} must be at least 1.", id="scheduler.E006") for name in small]


def _surroundings(options: Conf) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if options.DATABASE not in settings.DATABASES:
        messages.append(
            Error(
                f"APSCHEDULER_DATABASE names {options.DATABASE!r}, which is not in DATABASES.",
                hint=f"Known: {', '.join(sorted(settings.DATABASES))}.",
                id="scheduler.E007",
            )
        )
        return messages
    if not settings.USE_TZ:
        messages.append(
            Error(
                "The scheduler needs USE_TZ = True: local times without a zone are ambiguous "
                "twice a year.",
                id="scheduler.E008",
            )
        )
    database = settings.DATABASES[options.DATABASE]
    mode = database.get("OPTIONS", {}).get("transaction_mode", "")
    if database["ENGINE"].endswith("sqlite3") and mode.upper() != "IMMEDIATE":
        messages.append(
            Warning(
                "SQLite without transaction_mode IMMEDIATE fails with 'database is locked' when "
                "a web request and the scheduler write at once.",
                hint='Set DATABASES[...]["OPTIONS"]["transaction_mode"] = "IMMEDIATE".',
                id="scheduler.W001",
            )
        )
    return messages
