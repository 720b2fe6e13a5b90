from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .decode import decode
from .encode import encode
from .errors import SerializationError
from .text import dump


def dumps_args(args: Sequence[Any]) -> str:
    """Positional arguments as a JSON list.

    Raises:
        SerializationError: names the argument and its type.
    """
    return dump([encode(value, f"args[{n}]") for n, value in enumerate(args)])


def dumps_kwargs(kwargs: Mapping[str, Any]) -> str:
    """Keyword arguments as a JSON object, sorted by name.

    Raises:
        SerializationError: names the argument and its type.
    """
    for name in kwargs:
        if type(name) is not str:
            raise SerializationError(f"kwargs: a name must be a str, got {name!r}")
    return dump({name: encode(kwargs[name], f"kwargs[{name!r}]") for name in sorted(kwargs)})


def loads_args(text: str) -> tuple[Any, ...]:
    """What ``dumps_args`` was given, as a tuple.

    Raises:
        SerializationError: not such a text.
    """
    return tuple(decode(value, f"args[{n}]") for n, value in enumerate(_parsed(text, list, "args")))


def loads_kwargs(text: str) -> dict[str, Any]:
    """What ``dumps_kwargs`` was given, as a dict.

    Raises:
        SerializationError: not such a text.
    """
    items = _parsed(text, dict, "kwargs").items()
    return {name: decode(value, f"kwargs[{name!r}]") for name, value in items}


def _parsed(text: str, kind: type, name: str) -> Any:
    try:
        data = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationError(f"{name}: not JSON: {error}") from None
    if not isinstance(data, kind):
        raise SerializationError(f"{name}: expected a JSON {kind.__name__}, got {text[:80]}")
    return data
