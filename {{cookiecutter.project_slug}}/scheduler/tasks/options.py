"""``QUEUES`` and ``OPTIONS`` of a backend in ``TASKS``, checked where the settings are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..definitions.options import (
    EXECUTORS,
    POLICY_DEFAULTS,
    THREADS,
    check_policies,
    check_timeout,
    known_executor,
)
from .api import InvalidTaskBackend

OWN = ("executors", "keep_days")


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """How the tasks of one backend run."""

    policies: Mapping[str, Any]
    """Columns of their executions, by name."""
    executors: Mapping[str, str]
    """Queue name to the alias of an executor."""
    keep_days: float | None
    """Finished runs older than this are deleted; None: as ``APSCHEDULER_KEEP_DAYS`` says."""

    def executor(self, queue: str) -> str:
        """Return the executor of a queue: the one it is mapped to, or the one of its name."""
        return self.executors.get(queue, queue if queue in EXECUTORS else THREADS)


def read_options(alias: str, params: Mapping[str, Any]) -> TaskOptions:
    """Return the options of the backend ``alias``.

    Raises:
        InvalidTaskBackend: an unknown option, or one with a value that it cannot have.
    """
    given = dict(params.get("OPTIONS") or {})
    where = f'TASKS["{alias}"]["OPTIONS"]'
    if unknown := sorted(given.keys() - {*POLICY_DEFAULTS, *OWN}):
        known = ", ".join(sorted([*POLICY_DEFAULTS, *OWN]))
        raise InvalidTaskBackend(f"{where}: unknown option {unknown[0]!r}. Known: {known}")
    own = {"executors": {}, "keep_days": None} | {k: given.pop(k) for k in OWN if k in given}
    try:
        options = TaskOptions(policies=check_policies(POLICY_DEFAULTS | given), **own)
        _check_own(options)
        for queue in {*options.executors, *(params.get("QUEUES") or EXECUTORS[:1])}:
            check_timeout(options.policies["timeout"], options.executor(queue))
    except (TypeError, ValueError) as error:
        raise InvalidTaskBackend(f"{where}: {error}") from None
    return options


def _check_own(options: TaskOptions) -> None:
    if not isinstance(options.executors, Mapping):
        raise TypeError(f"executors must map queue names to executors, not {options.executors!r}")
    for executor in options.executors.values():
        known_executor(executor)
    days = options.keep_days
    if days is not None and (isinstance(days, bool) or not isinstance(days, int | float)):
        raise TypeError(f"keep_days must be a number of days, not {days!r}")
    if days is not None and days <= 0:
        raise ValueError(f"keep_days must be more than 0, not {days!r}")
