"""Check what callers say about a job: its trigger, its executor, how it is to run.

Imports no model: ``@job`` is used before the apps are ready.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.conf import settings

from .. import triggers
from ..conf import conf

POLICY_DEFAULTS: dict[str, Any] = {
    "timeout": None,
    "warn_after": None,
    "max_retries": 0,
    "retry_delay": 0.0,
    "on_lost": "fail",
    "sensitive": (),
}
POLICY_NAMES = tuple(POLICY_DEFAULTS)
MAX_COUNT = 1_000_000
MAX_SECONDS = 10**9
"""31 years. Both fit the smallest column of all databases."""
MAX_ID_LENGTH = 255
MAX_NAMES = 100
RESERVED = "task:"
"""What the ids of tasks begin with in the history; ``models``, which is not imported here, says so.
"""
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of what no URL, mail subject or log line can carry: control characters,
lone surrogates, line and paragraph separators."""
ON_LOST = ("fail", "retry")
THREADS = "default"
"""The executor whose bodies cannot be ended."""
REMOTE = "workers"
EXECUTORS = (THREADS, "processes", REMOTE)
POOLS_OF_PROCESSES = ("prefork", "processes")
"""Celery's names of the pool that runs each body in a process, which can be ended."""
OF_JOB = ("name", "args", "kwargs", "executor", "coalesce", "max_instances", "misfire_grace_time",
          *POLICY_NAMES)  # fmt: skip
"""What a job takes beside its trigger, to recognise where it is misspelt."""


def make_trigger(trigger: Any, arguments: Mapping[str, Any], timezone: Any = None) -> BaseTrigger:
    """Return a trigger, from one, a kind ("interval") or a crontab line ("0 3 * * *", "@daily").

    Args:
        timezone: for a trigger that names none; the project's zone if None.

    Raises:
        TriggerError, TypeError: what is given makes no trigger; the message names the field.
    """
    if isinstance(trigger, BaseTrigger):
        if arguments:
            names = ", ".join(sorted(arguments))
            raise TypeError(f"A trigger object takes no further arguments: {names}")
        return triggers.normalize(trigger)
    if trigger is not None and not isinstance(trigger, str):
        found = trigger.__class__.__name__
        raise TypeError(f"Expected a trigger instance or string, got {found} instead")
    options = {"timezone": timezone or triggers.default_zone(), **arguments}
    if trigger and (trigger.startswith("@") or len(trigger.split()) > 1):
        triggers.check_names("crontab", options, OF_JOB)
        return triggers.build("crontab", expr=trigger, **options)
    triggers.check_names(trigger or "date", options, OF_JOB)
    return triggers.build(trigger or "date", **options)


def known_executor(alias: Any, *, added: Iterable[str] = ()) -> Any:
    """Return the alias of an executor, one of ours or one that was ``added``.

    Raises:
        ValueError: there is no such executor.
    """
    known = list(dict.fromkeys([*EXECUTORS, *added]))
    if isinstance(alias, str) and alias not in known:
        raise ValueError(f"Unknown executor {alias!r}; known are {', '.join(known)}")
    return alias


def check_policies(policies: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns for ``policies``.

    Raises:
        TypeError, ValueError: a value that its column cannot mean; the message names it.
    """
    return {
        name: _OF_DEFAULTS[name]
        if value is POLICY_DEFAULTS[name]  # what nearly all of many jobs say
        else _CHECKS[name](name, value)
        for name, value in policies.items()
    }


def check_limits(columns: Mapping[str, Any]) -> None:
    """Check what APScheduler leaves open about its numbers: an upper bound, and that True is none.

    Raises:
        TypeError, ValueError: the message names the number and its bounds.
    """
    for name, high in (("max_instances", MAX_COUNT), ("misfire_grace_time", MAX_SECONDS)):
        value = columns.get(name)
        if isinstance(value, bool):
            raise TypeError(f"{name} must be a whole number, not {value!r}")
        if isinstance(value, int) and value > high:
            raise ValueError(f"{name} must be between 1 and {high}, not {value!r:.80}")
    if isinstance(coalesce := columns.get("coalesce"), str):
        raise TypeError(f"coalesce must be True or False, not {coalesce!r:.80}")


def check_id(job_id: str) -> None:
    """Check the id of a new job.

    Raises:
        ValueError: no page, mail or log line could name such a job; the message says what to use.
    """
    if not job_id:
        raise ValueError("The id of a job may not be empty")
    if len(job_id) > MAX_ID_LENGTH:
        raise ValueError(f"The id of a job may have {MAX_ID_LENGTH} characters: {job_id[:80]!r}...")
    if job_id in (".", ".."):
        raise ValueError(f"The id of a job may not be {job_id!r}: browsers drop it from URLs")
    if job_id.startswith(RESERVED):
        raise ValueError(
            f"The id of a job may not begin with {RESERVED!r}, as tasks' runs do: {job_id[:80]!r}"
        )
    check_printable("id", job_id)


def check_printable(column: str, text: str) -> None:
    """Check that a text of a job can be shown on one line.

    Raises:
        ValueError: the message names the character.
    """
    if text.isprintable():  # of the characters left, some may be shown: spaces and formats
        return
    for character in text:
        if unicodedata.category(character) in UNPRINTABLE:
            raise ValueError(
                f"The {column} of a job may not contain {character!r}: {text[:80]!r}. Use letters, "
                "digits, spaces and punctuation"
            )


def pop_policies(options: dict[str, Any]) -> dict[str, Any]:
    """Take our policies out of ``options``, which keeps what APScheduler knows."""
    return {name: options.pop(name) for name in POLICY_NAMES if name in options}


def check_timeout(timeout: Any, executor: str) -> None:
    """Check that what is asked for will happen: no thread can be ended.

    Raises:
        ValueError: a timeout for a body that runs in a thread, here or in a worker.
    """
    if timeout is not None and executor == REMOTE and (pool := _pool_that_ends_nothing()):
        raise ValueError(
            f"timeout: {pool} cannot end a body. Give the job warn_after to be told only, or "
            'executor="processes"'
        )
    if timeout is not None and executor == THREADS:
        raise ValueError(
            'timeout: a thread cannot be ended. Give executor="processes" as well, or warn_after '
            "to be told only"
        )


def _pool_that_ends_nothing() -> str:
    """Return what runs the bodies of workers, where it can end none; else nothing."""
    if conf().WORKERS == "django-tasks":
        return "a worker of Django's Tasks API"
    pool = str(getattr(settings, "CELERY_WORKER_POOL", "prefork"))
    if conf().WORKERS == "celery" and pool not in POOLS_OF_PROCESSES:
        return f"Celery's pool {pool} (CELERY_WORKER_POOL)"
    return ""


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError(f"{name} must be between 0 and 10^9 seconds, not {value!r:.80}")
    return float(value)


def _some_seconds_or_none(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if _seconds(name, value) == 0:
        raise ValueError(f"{name} must be more than 0 seconds; None stands for no limit")
    return float(value)


def _count(name: str, value: Any) -> int:
    return _whole(name, value, 0, MAX_COUNT)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r:.80}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be between {low} and {high}, not {value!r:.80}")
    return value


def _on_lost(name: str, value: Any) -> str:
    if value not in ON_LOST:
        raise ValueError(f"{name} must be one of {', '.join(ON_LOST)}, not {value!r}")
    return str(value)


def _names(name: str, value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list of argument names, not {value!r}")
    names = list(value)
    if not all(isinstance(item, str) for item in names):
        raise TypeError(f"{name} must hold argument names only, not {names!r:.80}")
    if len(names) > MAX_NAMES or not all(0 < len(item) <= MAX_ID_LENGTH for item in names):
        raise ValueError(
            f"{name} may hold {MAX_NAMES} names of {MAX_ID_LENGTH} characters, not {names!r:.80}"
        )
    for item in names:
        check_printable(name, item)
    return json.dumps(sorted(set(names)))


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "timeout": _some_seconds_or_none,
    "warn_after": _some_seconds_or_none,
    "max_retries": _count,
    "retry_delay": _seconds,
    "on_lost": _on_lost,
    "sensitive": _names,
}
_OF_DEFAULTS = {name: _CHECKS[name](name, value) for name, value in POLICY_DEFAULTS.items()}
