"""System checks: settings that would break a promise are refused before anything runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .conf import Conf, conf

LEAST = {
    "MAX_WORKERS": (1, "no job could run."),
    "PROCESSES": (1, "no pool of processes can be made."),
    "CATCH_UP_LIMIT": (1, "a job that is due would never run."),
    "KEEP_PER_JOB": (1, "no history would be left."),
    "MAX_LOG_CHARS": (2, "half of it is for the first lines, and half for the last."),
    "MAX_RESULT_CHARS": (4, "what does not fit is kept as null."),
}
"""The least that each count may be, and why."""


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
    if options.KEEP_DAYS <= 0:
        messages.append(
            Error(
                "APSCHEDULER_KEEP_DAYS must be more than 0: every execution would be deleted as "
                "soon as it has ended.",
                id="scheduler.E009",
            )
        )
    return messages


def _counts(options: Conf) -> list[CheckMessage]:
    return [
        Error(f"APSCHEDULER_{name} must be at least {least}: {why}", id="scheduler.E006")
        for name, (least, why) in LEAST.items()
        if getattr(options, name) < least
    ]


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
