"""Arguments and texts as they may be shown: without the values that a job calls sensitive."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from . import functions, serialization

MASK = "••••••"
LEAST_SECRET = 4
Kind = inspect.Parameter


class Called(Protocol):
    """A job, an execution, or a run in a worker's hands."""

    func: str
    args: str
    kwargs: str
    sensitive: str


def sensitive_names(row: Called) -> frozenset[str]:
    """Those that are marked; where that is the function's ``**options``, all that goes through."""
    names = names_in(row.sensitive)
    parameters = _parameters(row.func) if names else []
    if any(each.kind is Kind.VAR_KEYWORD and each.name in names for each in parameters):
        own = {each.name for each in parameters}
        names |= {name for name, _ in _named(row) if name not in own}
    return names


def names_in(text: str | None) -> frozenset[str]:
    """The names that a column ``sensitive`` lists."""
    try:
        names = json.loads(text or "[]")
    except (TypeError, ValueError, RecursionError):
        return frozenset()
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def shown(row: Called) -> list[tuple[str, str]]:
    """Name and JSON of each argument of a job or an execution, secrets masked."""
    names = sensitive_names(row)
    return [(name, MASK if _is_secret(name, names) else value) for name, value in _named(row)]


def scrubbed(text: str, row: Called) -> str:
    """``text`` without the sensitive values of ``row``, wherever they occur in it.

    A log or a traceback may repeat them. Values too short to be told from ordinary text stay.
    """
    secrets = _secrets(row)
    # A result is JSON and a traceback shows a repr: the same value, escaped.
    secrets |= {json.dumps(secret)[1:-1] for secret in secrets}
    secrets |= {repr(secret)[1:-1] for secret in secrets}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def masked_columns(columns: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Columns of a change record, with the arguments hidden where any of them is sensitive."""
    masked = dict(columns)
    if not set(names):
        return masked
    if "args" in masked and masked["args"] not in ("[]", "()"):
        masked["args"] = MASK
    if "kwargs" in masked:
        masked["kwargs"] = _masked_kwargs(masked["kwargs"], set(names))
    return masked


def _masked_kwargs(text: Any, names: set[str]) -> str:
    try:
        values = json.loads(text)
    except (TypeError, ValueError):
        return MASK
    if not isinstance(values, dict):
        return MASK
    return serialization.readable({k: MASK if k in names else v for k, v in values.items()})


def _named(row: Called) -> list[tuple[str, str]]:
    """In the order of the signature; by position where the function cannot be had."""
    try:
        args = json.loads(row.args or "[]")
        kwargs = json.loads(row.kwargs or "{}")
        positional, named = list(args), dict(kwargs)
    except (TypeError, ValueError, RecursionError):
        return [("positional arguments", row.args), ("keyword arguments", row.kwargs)]
    names = _positions(row.func, len(positional))
    pairs = [*zip(names, positional, strict=True), *named.items()]
    return [(str(name), serialization.readable(value)) for name, value in pairs]


def _is_secret(name: str, names: frozenset[str]) -> bool:
    """What has no name of its own, such as the second positional, may be what is meant."""
    return bool(names) and (name in names or not name.isidentifier())


def _positions(func: str, number: int) -> list[str]:
    kinds = (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in _parameters(func) if parameter.kind in kinds]
    return [
        names[index] if index < len(names) else f"positional {index + 1}" for index in range(number)
    ]


def _parameters(func: str) -> list[Kind]:
    """None where the function cannot be had, whatever importing a user's module raises."""
    try:
        return [*inspect.signature(functions.resolve(func)).parameters.values()]
    except Exception:
        return []


def _secrets(row: Called) -> set[str]:
    names = sensitive_names(row)
    if not names:
        return set()
    found: set[str] = set()
    for name, text in _named(row):
        if _is_secret(name, names):
            found.update(_leaves(_loaded(text)))
    return found


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _leaves(each)
    elif not isinstance(value, bool | None):
        with suppress(Exception):  # of a pickle's own class: its text may do anything
            if len(text := str(value)) >= LEAST_SECRET:
                yield text


def _loaded(text: str) -> Any:
    try:
        return serialization.loads_args(f"[{text}]")[0]
    except Exception:
        return text
