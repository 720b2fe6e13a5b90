"""Check what a job says about its runs beyond APScheduler's own words.

Imports no model: ``@job`` is used before the apps are ready.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

DEFAULTS: dict[str, Any] = {
    "timeout": None,
    "warn_after": None,
    "max_retries": 0,
    "retry_delay": 0.0,
    "on_lost": "fail",
    "sensitive": (),
}
POLICY_NAMES = tuple(DEFAULTS)
ON_LOST = ("fail", "retry")
THREADS = "default"
"""The executor whose bodies cannot be ended."""


def checked(policies: Mapping[str, Any]) -> dict[str, Any]:
    """The columns for ``policies``.

    Raises:
        TypeError, ValueError: a value that its column cannot mean; the message names it.
    """
    return {name: _CHECKS[name](name, value) for name, value in policies.items()}


def taken_from(options: dict[str, Any]) -> dict[str, Any]:
    """Take our policies out of ``options``, which keeps what APScheduler knows."""
    return {name: options.pop(name) for name in POLICY_NAMES if name in options}


def enforceable(timeout: Any, executor: str) -> None:
    """Check that what is asked for will happen: no thread can be ended.

    Raises:
        ValueError: a timeout for a body that runs in a thread.
    """
    if timeout is not None and executor == THREADS:
        raise ValueError(
            'timeout: a thread cannot be ended. Give executor="processes" as well, or warn_after '
            "to be told only"
        )


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 <= value < 10**9:
        raise ValueError(f"{name} must be between 0 and 10^9 seconds, not {value!r}")
    return float(value)


def _some_seconds_or_none(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if _seconds(name, value) == 0:
        raise ValueError(f"{name} must be more than 0 seconds; None stands for no limit")
    return float(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not 0 <= value <= 1_000_000:
        raise ValueError(f"{name} must be between 0 and 1000000, not {value!r}")
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
        raise TypeError(f"{name} must hold argument names only, not {names!r}")
    return json.dumps(sorted(set(names)))


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "timeout": _some_seconds_or_none,
    "warn_after": _some_seconds_or_none,
    "max_retries": _count,
    "retry_delay": _seconds,
    "on_lost": _on_lost,
    "sensitive": _names,
}
