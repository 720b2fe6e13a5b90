"""Arguments and results of tasks: plain JSON, as every backend of the Tasks API carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .. import serialization
from ..serialization.text import MAX_DEPTH
from .api import normalize_json

MAX_ITEMS = 1_000_000
"""To how many items an argument or a result may refer."""
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
EMPTY: dict[type, str] = {list: "[]", dict: "{}"}


def dump_arguments(path: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """Return the columns ``args`` and ``kwargs`` of a call of the task ``path``.

    Raises:
        TypeError, ValueError: an argument that JSON cannot carry; the message names it.
    """
    try:
        return _dump(list(args)), _dump(dict(kwargs))
    except (TypeError, ValueError) as error:
        cause = error
    for where, value in [*enumerate(args), *kwargs.items()]:
        try:
            _dump(value)
        except (TypeError, ValueError) as error:
            name = f"args[{where}]" if isinstance(where, int) else f"kwargs[{where!r}]"
            raise type(error)(
                f"{error}: {name} of the task {path} cannot be stored; pass what JSON carries, "
                "such as a primary key, or isoformat() of a date"
            ) from None
    raise cause


def load_arguments(args: str, kwargs: str) -> tuple[list[Any], dict[str, Any]]:
    """Return what ``dump_arguments`` was given, as JSON carries it."""
    return list(serialization.loads_args(args)), serialization.loads_kwargs(kwargs)


def dump_result(value: Any) -> str:
    """Return the column ``return_value``, whole: whoever enqueued the task asks for it.

    Raises:
        TypeError, ValueError: JSON cannot carry it.
    """
    return _dump(value)


def load_result(text: str) -> Any:
    """Return what ``dump_result`` was given, as JSON carries it."""
    return serialization.loads_args(f"[{text}]")[0] if text else None


def _dump(value: Any) -> str:
    if not value and type(value) in EMPTY:
        return EMPTY[type(value)]
    if serialization.exceeds(value, MAX_ITEMS):
        raise ValueError(f"more than {MAX_ITEMS} items, or it contains itself")
    try:
        text = ENCODER.encode(normalize_json(value))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        try:
            serialization.loads_args(f"[{text}]")
        except serialization.SerializationError:
            raise ValueError("nested too deeply, so that nobody could read it back") from None
    if '"$' not in text:
        return text
    # An object of one key with a dollar has a meaning in the columns, which this one does not mean.
    return serialization.dumps_args([json.loads(text)])[1:-1]
