"""The app's settings: one ``APSCHEDULER_<NAME>`` in the project's settings for each field below."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

PREFIX = "APSCHEDULER_"
WORKERS = ("celery", "django-tasks")
"""What ``APSCHEDULER_WORKERS`` may name."""
QUEUE = "scheduler"
"""The queue of the workers' messages, in Celery as in a backend of the Tasks API."""


@dataclass(frozen=True)
class Conf:
    """Every option with its default. Durations are seconds."""

    NAME: str = "default"
    """Who owns the tables; a database that another name owns is refused at start."""
    DATABASE: str = "default"
    """Alias of the database that holds the scheduler's tables."""
    TIMEZONE: str = ""
    """Zone of triggers that name none; empty: ``settings.TIME_ZONE``."""
    ALLOWED_MODULES: tuple[str, ...] = ()
    """Modules outside the installed apps whose functions a job may name."""
    SECRETS: str = ""
    """Path of a function that returns the project's credentials, such as
    ``config.redaction.known``: no page, mail or command shows one that a job printed or raised."""
    ALLOW_PICKLE: bool = False
    """Carry arguments that JSON cannot as pickles signed with ``SECRET_KEY``."""

    LEASE_TTL: float = 6.0
    """How long a silent leader keeps the lease."""
    LEASE_RENEW: float = 1.5
    """How often the leader renews it."""
    LEASE_MARGIN: float = 1.5
    """How long before the lease ends its holder stops trusting it."""
    STANDBY_INTERVAL: float = 0.2
    """How often a standby looks at the lease."""
    POLL_INTERVAL: float = 0.2
    """How often an idle leader looks for changes that nobody announced."""

    MAX_WORKERS: int = 10
    """Threads of the ``default`` executor."""
    PROCESSES: int = 2
    """Worker processes of the ``processes`` executor."""
    WORKERS: str = ""
    """What carries the runs of the ``workers`` executor to processes on any host: ``celery`` or
    ``django-tasks``; empty: none, they run as those of ``processes`` do."""
    WORKER_TTL: float = 30.0
    """How long a worker may be silent before its runs are lost."""
    DRAIN_TIMEOUT: float = 25.0
    """How long a stopping scheduler waits for running jobs."""
    HEARTBEAT_FILE: str = ""
    """File that the loop writes each second, for probes that look at its age; empty: none."""
    HEALTH_MAX_LAG: float = 60.0
    """How late the oldest due run may be before the health page turns red."""
    HEALTH_FAILS_ON: tuple[str, ...] = ("no_leader", "leader_error", "late", "clock")
    """What turns the health page red; other findings only degrade it."""
    METRICS_TOKEN: str = ""
    """What a reader of ``/metrics`` must send as its bearer token; empty: no metrics."""
    BASE_URL: str = ""
    """Where the admin is reached, such as ``https://example.com``: for links in alerts."""
    ALERTS: bool = True
    """Whether failed, missed and lost runs and a missing leader are mailed to ``ADMINS``."""
    ALERT_DELAY: float = 5.0
    """How long the first alert waits for others that belong to it."""
    ALERT_INTERVAL: float = 300.0
    """Least time between two mails; what happens meanwhile is gathered in the next one."""
    SENTRY_MONITORS: dict[str, str] = field(default_factory=dict)
    """Job ids with the slugs of their Sentry cron monitors; their runs check in there."""
    RUN_NOW_TIMEOUT: float = 15.0
    """How long a caller of ``run_now(wait=True)`` waits for the result."""
    CATCH_UP_LIMIT: int = 1000
    """Most runs that one job without ``coalesce`` makes up for at once; older ones are missed."""

    KEEP_DAYS: float = 30.0
    """Finished executions older than this are deleted."""
    KEEP_PER_JOB: int = 10_000
    """Finished executions of one job beyond this number are deleted, oldest first."""
    MAX_LOG_CHARS: int = 65_536
    """Captured output kept per execution; the middle of a longer text is cut."""
    MAX_RESULT_CHARS: int = 16_384
    """JSON of a return value kept per execution."""

    DATETIME_FORMAT: str = "Y-m-d H:i:s"
    """How the admin shows times (``django.utils.dateformat``); the default is for English pages,
    and others then show dates as their language writes them."""
    JOB_DEFAULTS: dict[str, Any] = field(default_factory=dict)
    """Policies of jobs that say nothing, for example ``{"max_instances": 3}``."""


@lru_cache(maxsize=1)
def conf() -> Conf:
    """Return the settings as they are now.

    Raises:
        ImproperlyConfigured: a name with our prefix that is no option, with the nearest ones.
    """
    known = {f.name for f in fields(Conf)}
    given = {
        name.removeprefix(PREFIX): getattr(settings, name)
        for name in dir(settings)
        if name.startswith(PREFIX)
    }
    if unknown := sorted(given.keys() - known):
        raise ImproperlyConfigured(
            f"Unknown setting {PREFIX}{unknown[0]}. Known: "
            + ", ".join(PREFIX + name for name in sorted(known))
        )
    return Conf(**given)


def _forget(*, setting: str, **_: Any) -> None:
    if setting.startswith(PREFIX):
        conf.cache_clear()


setting_changed.connect(_forget)
