"""System checks: settings that would break a promise are refused before anything runs."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import router

from ..conf import Conf, conf
from ..credentials import without_credentials
from ..definitions import declarations, declared
from ..definitions.declarations import Declaration
from ..triggers import TriggerError
from ..triggers.timezones import is_only_here, zone_named
from .database import check_character_set, check_writable
from .types import check_types
from .workers import check_workers

MIN_COUNTS = {
    "MAX_WORKERS": (1, "no job could run."),
    "PROCESSES": (1, "no pool of processes can be made."),
    "CATCH_UP_LIMIT": (1, "a job that is due would never run."),
    "KEEP_PER_JOB": (1, "no history would be left."),
    "MAX_LOG_CHARS": (2, "half of it is for the first lines, and half for the last."),
    "MAX_RESULT_CHARS": (4, "what does not fit is kept as null."),
}
"""The least that each count may be, and why."""

register(check_character_set, Tags.database)
register(check_writable, Tags.database)


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Check that durations fit together, the database exists and time zones are on."""
    try:
        options = conf()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="scheduler.E001")]
    if wrong := check_types(options):
        return wrong  # the others compare
    return [
        *_durations(options),
        *_counts(options),
        *_health(options),
        *_surroundings(options),
        *_zone(options),
        *check_workers(options),
    ]


@register()
def check_jobs(**_: Any) -> list[CheckMessage]:
    """Check that each ``jobs.py`` can be imported, and each job declared there be stored."""
    try:
        conf()
    except ImproperlyConfigured:  # which check_settings reports
        return []
    declarations.autodiscover()
    messages: list[CheckMessage] = []
    failed = {label: f"{apps.get_app_config(label).name}.jobs" for label in declarations.errors}
    for label, module in failed.items():
        text = declarations.errors[label]
        where = declarations.place_of(text, module) or f"{module}: "
        messages.append(
            Warning(
                f"{where}{without_credentials(text.strip().splitlines()[-1])}",
                hint=f"Mend it: until then the scheduler leaves the jobs of {label!r} as they are.",
                id="scheduler.W003",
            )
        )
    whole = (
        each
        for each in declarations.registered().values()
        if each.func.__module__ not in failed.values()
    )
    return [*messages, *filter(None, map(_unstorable, whole))]


def _unstorable(declaration: Declaration) -> CheckMessage | None:
    try:
        declared.digest(declaration)
    except Exception as error:  # whatever an argument or a reference raises
        code = getattr(declaration.func, "__code__", None)
        where = f"{code.co_filename}, line {code.co_firstlineno}: " if code else ""
        why = without_credentials(str(error))
        return Warning(
            f"{where}the job {declaration.id!r} cannot be stored: {why}",
            hint="Mend its declaration: until then the scheduler leaves the job as it is.",
            id="scheduler.W004",
        )
    return None


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


HEALTH_FINDINGS = (
    "no_leader",
    "leader_error",
    "late",
    "clock",
    "other_code",
    "publishing",
    "no_workers",
    "paused",
    "quarantined",
)


def _pool(options: Conf, database: dict[str, Any]) -> list[CheckMessage]:
    """Name a pool that is too small for the loop and the threads of a scheduler."""
    pool = database.get("OPTIONS", {}).get("pool")
    if not pool or not database["ENGINE"].endswith("postgresql"):
        return []
    sizes = pool if isinstance(pool, dict) else {}
    size = sizes.get("max_size") or sizes.get("min_size", 4)  # as psycopg_pool has it
    needed = options.MAX_WORKERS + 1
    if size >= needed:
        return []
    return [
        Warning(
            f"The connection pool holds {size} connections, and a scheduler needs {needed}: job "
            "functions would fail while they wait for one.",
            hint=f'Set max_size to {needed} in DATABASES[...]["OPTIONS"]["pool"], or '
            f"APSCHEDULER_MAX_WORKERS to at most {max(size - 1, 1)}.",
            id="scheduler.W005",
        )
    ]


def _zone(options: Conf) -> list[CheckMessage]:
    """Name a zone on whose meaning hosts and releases of the zone data do not agree."""
    setting = "APSCHEDULER_TIMEZONE" if options.TIMEZONE else "TIME_ZONE"
    name = options.TIMEZONE or settings.TIME_ZONE
    hint = "Use a name of the IANA time zone database, such as Europe/Berlin or UTC."
    try:
        zone_named(name, setting)
    except TriggerError as error:
        return [Error(f"{error}.", hint=hint, id="scheduler.E011")]
    if not is_only_here(name):
        return []
    text = f"{setting} is {name!r}, which is a file of this machine and no zone of that database."
    return [Warning(text, hint=hint, id="scheduler.W002")]


def _health(options: Conf) -> list[CheckMessage]:
    unknown = [name for name in options.HEALTH_FAILS_ON if name not in HEALTH_FINDINGS]
    if not unknown:
        return []
    return [
        Error(
            f"APSCHEDULER_HEALTH_FAILS_ON names {unknown[0]!r}, which the health page never finds.",
            hint=f"Known: {', '.join(HEALTH_FINDINGS)}.",
            id="scheduler.E010",
        )
    ]


def _counts(options: Conf) -> list[CheckMessage]:
    return [
        Error(f"APSCHEDULER_{name} must be at least {least}: {why}", id="scheduler.E006")
        for name, (least, why) in MIN_COUNTS.items()
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
    if database["ENGINE"].endswith("sqlite3") and mode.upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        messages.append(
            Warning(
                "SQLite without transaction_mode IMMEDIATE fails with 'database is locked' when "
                "a web request and the scheduler write at once.",
                hint='Set DATABASES[...]["OPTIONS"]["transaction_mode"] = "IMMEDIATE".',
                id="scheduler.W001",
            )
        )
    if database.get("AUTOCOMMIT") is False:
        messages.append(
            Warning(
                "AUTOCOMMIT is False: a job function that reads or writes and does not commit "
                "leaves a transaction open, and its run fails.",
                hint="Remove it from DATABASES[...], and use transaction.atomic() where several "
                "statements belong together.",
                id="scheduler.W006",
            )
        )
    return [*messages, *_pool(options, database), *_routers(options)]


def _routers(options: Conf) -> list[CheckMessage]:
    """Name routers that keep the tables, or what the admin writes, out of the database."""
    alias, job = options.DATABASE, apps.get_model("scheduler", "Job")
    row = job()
    row._state.db = alias
    chosen = router.db_for_write(job, instance=row)
    hint = f"Set APSCHEDULER_DATABASE to {chosen!r}, or have the routers choose {alias!r}."
    if not router.allow_migrate_model(alias, job):
        text = (
            f"DATABASE_ROUTERS keep the scheduler's tables out of {alias!r}, which "
            "APSCHEDULER_DATABASE names: migrate makes none there."
        )
        return [Error(text, hint=hint, id="scheduler.E022")]
    if chosen != alias:
        text = (
            f"DATABASE_ROUTERS send what is written to the scheduler's models to {chosen!r}, and "
            f"APSCHEDULER_DATABASE names {alias!r}."
        )
        return [Warning(text, hint=hint, id="scheduler.W007")]
    return []
