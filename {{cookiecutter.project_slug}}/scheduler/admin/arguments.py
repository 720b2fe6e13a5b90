"""Arguments as pages may show them: by name, and without the values that a job calls sensitive."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .. import functions, serialization
from ..models.policies import Policies

MASK = "••••••"
LEAST_SECRET = 4
UNNAMED = "positional"


def sensitive_names(row: Policies) -> frozenset[str]:
    try:
        names = json.loads(row.sensitive or "[]")
    except ValueError:
        return frozenset()
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()


def shown(row: Policies) -> list[tuple[str, str]]:
    """Name and JSON of each argument of a job or an execution, secrets masked."""
    names = sensitive_names(row)
    return [
        (name, MASK if name in names or (names and name.startswith(UNNAMED)) else value)
        for name, value in _named(row)
    ]


def scrubbed(text: str, row: Policies) -> str:
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
    return json.dumps({k: MASK if k in names else v for k, v in values.items()}, ensure_ascii=False)


def _named(row: Policies) -> list[tuple[str, str]]:
    """In the order of the signature; by position where the function cannot be had."""
    try:
        args = json.loads(row.args or "[]")
        kwargs = json.loads(row.kwargs or "{}")
        positional, named = list(args), dict(kwargs)
    except (TypeError, ValueError):
        return [(UNNAMED, row.args), ("named", row.kwargs)]
    names = _positions(row.func, len(positional))
    return [(name, _text(value)) for name, value in zip(names, positional, strict=True)] + [
        (str(name), _text(value)) for name, value in named.items()
    ]


def _positions(func: str, number: int) -> list[str]:
    try:
        parameters = [*inspect.signature(functions.resolve(func)).parameters.values()]
    except (functions.FunctionError, TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    return [
        names[index] if index < len(names) else f"{UNNAMED} {index + 1}" for index in range(number)
    ]


def _secrets(row: Policies) -> set[str]:
    names = sensitive_names(row)
    if not names:
        return set()
    found: set[str] = set()
    for name, text in _named(row):
        if name in names or name.startswith(UNNAMED):
            found.update(_leaves(_loaded(text)))
    return found


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _leaves(each)
    elif len(str(value)) >= LEAST_SECRET and not isinstance(value, bool):
        yield str(value)


def _loaded(text: str) -> Any:
    try:
        return serialization.loads_args(f"[{text}]")[0]
    except Exception:
        return text


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
