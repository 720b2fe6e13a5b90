"""Arguments and texts as they may be shown: without the values that a job calls sensitive."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any, Protocol

from . import serialization
from .credentials import (
    MASK,
    credentials_of_project,
    holds_secret,
    is_secret_name,
    secrets_within,
    without,
    without_credentials,
)
from .definitions import references

MIN_SECRET_LENGTH = 4
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"?')
"""A string of JSON; the last one may lack its end."""
Kind = inspect.Parameter


class Called(Protocol):
    """A job, an execution, or a run in a worker's hands."""

    func: str
    args: str
    kwargs: str
    sensitive: str


def sensitive_names(row: Called) -> frozenset[str]:
    """Return the names that are marked or sound like a secret, or whose value holds one.

    Where that is the function's ``**options``, all that goes through it is sensitive.
    """
    pairs = _named(row)
    return _named_sensitive(row, pairs) | {name for name, text in pairs if holds_secret(_raw(text))}


def _named_sensitive(row: Called, pairs: list[tuple[str, str]]) -> frozenset[str]:
    """Return the names that are marked, or sound like a secret, among all and those in pairs."""
    names = names_in(row.sensitive) | {name for name, _ in pairs if is_secret_name(name)}
    parameters = _parameters(row.func) if names else []
    if any(each.kind is Kind.VAR_KEYWORD and each.name in names for each in parameters):
        own = {each.name for each in parameters}
        names |= {name for name, _ in pairs if name not in own}
    return names


def secret_parameters(func: str) -> set[str]:
    """Return the parameters of a function that are sensitive by their name; none if it is gone."""
    return {each.name for each in _parameters(func) if is_secret_name(each.name)}


def names_in(text: str | None) -> frozenset[str]:
    """Return the argument names that a column ``sensitive`` lists."""
    try:
        names = serialization.parse(text or "[]")
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def shown(row: Called) -> list[tuple[str, str]]:
    """Name and JSON of each argument of a job or an execution, secrets masked."""
    names = sensitive_names(row)
    return [
        (name, MASK if _is_secret(name, names) else without_credentials(value))
        for name, value in _named(row)
    ]


def differing(row: Called, other: Called) -> list[tuple[str, str, str]]:
    """Name and both values of each argument that two runs were not given alike.

    A value that either keeps secret is masked on both sides; an argument that was not given: "".
    """
    names = sensitive_names(row) | sensitive_names(other)
    mine, others = dict(_named(row)), dict(_named(other))
    found = []
    for name in dict.fromkeys([*mine, *others]):
        here, there = mine.get(name, ""), others.get(name, "")
        if here == there:
            continue
        if _is_secret(name, names):
            here, there = here and MASK, there and MASK
        found.append((name, here, there))
    return found


def scrubbed(text: str, row: Called) -> str:
    """Return ``text`` without the sensitive values of ``row``, wherever they occur in it.

    A log or a traceback may repeat them. Values too short to be told from ordinary text stay.
    Nor does it hold a credential of the project.
    """
    return without(secret_texts(row), text)


class SecretTexts(Collection[str]):
    """Hold ``secret_texts`` of a row, worked out when first asked for: most runs print nothing."""

    def __init__(self, row: Called) -> None:
        self._row = row

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: object) -> bool:
        return text in self._texts

    @cached_property
    def _texts(self) -> set[str]:
        return secret_texts(self._row)


def secret_texts(row: Called) -> set[str]:
    """Return the texts as which sensitive values of a row, or credentials, may occur in a log."""
    if not (secrets := _secrets(row)):
        return {*credentials_of_project()}
    # A result is JSON and a traceback shows a repr: the same value, escaped; and a repr inside of
    # either is escaped twice.
    for escape in (json.dumps, _json_in_unicode, repr) * 2:
        secrets |= {escape(secret)[1:-1] for secret in secrets}
    return secrets | credentials_of_project()


def _json_in_unicode(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def masked_columns(columns: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return columns of a change record, with the arguments hidden where any is sensitive."""
    masked, marked = dict(columns), set(names)
    args = masked.get("args", "[]")
    if args not in ("[]", "()") and (marked or holds_secret(_raw(args))):
        masked["args"] = MASK
    if "kwargs" in masked:
        masked["kwargs"] = _masked_kwargs(masked["kwargs"], marked)
    return masked


def _masked_kwargs(text: Any, marked: set[str]) -> Any:
    try:
        values = serialization.parse(text)
    except (TypeError, ValueError):
        values = None
    if not isinstance(values, dict):
        return MASK if marked else text
    hidden = {
        name
        for name, value in values.items()
        if name in marked or is_secret_name(name) or holds_secret(value)
    }
    if not marked and not hidden:
        return text
    return serialization.readable({k: MASK if k in hidden else v for k, v in values.items()})


def _named(row: Called) -> list[tuple[str, str]]:
    """Return names with values in the order of the signature, or by position without a function."""
    if (row.args or "[]") == "[]" and (row.kwargs or "{}") == "{}":
        return []
    try:
        args = serialization.parse(row.args or "[]")
        kwargs = serialization.parse(row.kwargs or "{}")
        positional, named = list(args), dict(kwargs)
    except (TypeError, ValueError):
        return [("positional arguments", row.args), ("keyword arguments", row.kwargs)]
    names = _positions(row.func, len(positional))
    pairs = [*zip(names, positional, strict=True), *named.items()]
    return [(str(name), serialization.readable(value)) for name, value in pairs]


def _is_secret(name: str, names: frozenset[str]) -> bool:
    """Return whether an argument is sensitive; one without a name may be the one meant."""
    return bool(names) and (name in names or not name.isidentifier())


def _positions(func: str, number: int) -> list[str]:
    kinds = (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in _parameters(func) if parameter.kind in kinds]
    return [
        names[index] if index < len(names) else f"positional {index + 1}" for index in range(number)
    ]


def _parameters(func: str) -> list[Kind]:
    """Return the parameters; none where the function cannot be imported, for whatever reason."""
    try:
        return _signature(references.resolve(func))
    except Exception:
        return []


def _signature(function: Callable[..., Any]) -> list[Kind]:
    try:
        return _signature_once(function)
    except TypeError:  # an object without a hash
        return [*inspect.signature(function).parameters.values()]


@lru_cache(maxsize=1024)
def _signature_once(function: Callable[..., Any]) -> list[Kind]:
    """Return the parameters; each run asks for them, and Python works them out each time."""
    return [*inspect.signature(function).parameters.values()]


def _secrets(row: Called) -> set[str]:
    if not (pairs := _named(row)):
        return set()
    names = _named_sensitive(row, pairs)
    found: set[str] = set()
    for name, text in pairs:
        for value in (_decoded(text), _raw(text)):
            secret = value if _is_secret(name, names) else [*secrets_within(value)]
            found.update(_leaves(secret))
    return found


def _leaves(value: Any) -> Iterable[str]:
    """Return the texts in a value, each container once: a pickle's may contain itself."""
    left, seen = [value], set()
    while left:
        each = left.pop()
        if isinstance(each, (Mapping, list, tuple, set, frozenset)):
            if id(each) not in seen:
                seen.add(id(each))
                left.extend(each.values() if isinstance(each, Mapping) else each)
        elif not isinstance(each, bool | None):
            with suppress(Exception):  # of a pickle's own class: its text may do anything
                if len(text := str(each)) >= MIN_SECRET_LENGTH:
                    yield text


def _decoded(text: str) -> Any:
    try:
        return serialization.loads_args(f"[{text}]")[0]
    except Exception:  # of a pickle's own class: anything
        return None


def _raw(text: str) -> Any:
    """Return what the JSON holds before it is decoded: an error's text may repeat that.

    Of text that is not even JSON, every quoted string is taken.
    """
    try:
        return serialization.parse(text)
    except ValueError:
        return [text, *(unescaped for each in QUOTED.findall(text) for unescaped in _forms(each))]


def _forms(quoted: str) -> list[str]:
    """Return what stands between the quotes as it is, and without its escapes."""
    with suppress(ValueError):
        return [quoted, json.loads(f'"{quoted}"')]
    return [quoted]
