"""Arguments of jobs and tasks as JSON, one text for the positional and one for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .decode import decode
from .encode import Encoder, check_number
from .errors import SerializationError
from .text import dump, parse


def dumps_args(args: Sequence[Any]) -> str:
    """Write positional arguments as a JSON list.

    Raises:
        SerializationError: names the argument and its type.
    """
    if not args:
        return "[]"
    check_number(list(args), "args")
    encoder = Encoder()
    return dump([encoder.encode(value, f"args[{n}]") for n, value in enumerate(args)])


def dumps_kwargs(kwargs: Mapping[str, Any]) -> str:
    """Write keyword arguments as a JSON object, sorted by name.

    Raises:
        SerializationError: names the argument and its type.
    """
    if not kwargs:
        return "{}"
    for name in kwargs:
        if type(name) is not str:
            raise SerializationError(f"kwargs: a name must be a str, got {name!r}")
    check_number(dict(kwargs), "kwargs")
    encoder = Encoder()
    return dump({n: encoder.encode(kwargs[n], f"kwargs[{n!r}]") for n in sorted(kwargs)})


def loads_args(text: str) -> tuple[Any, ...]:
    """Read what ``dumps_args`` wrote, as a tuple.

    Raises:
        SerializationError: not such a text.
    """
    if text == "[]":
        return ()
    return tuple(decode(value, f"args[{n}]") for n, value in enumerate(_parsed(text, list, "args")))


def loads_kwargs(text: str) -> dict[str, Any]:
    """Read what ``dumps_kwargs`` wrote, as a dict.

    Raises:
        SerializationError: not such a text.
    """
    if text == "{}":
        return {}
    items = _parsed(text, dict, "kwargs").items()
    return {name: decode(value, f"kwargs[{name!r}]") for name, value in items}


def _parsed(text: str, kind: type, name: str) -> Any:
    try:
        data = parse(text)
    except (TypeError, ValueError) as error:
        raise SerializationError(f"{name}: not JSON: {error}") from None
    if not isinstance(data, kind):
        raise SerializationError(f"{name}: expected a JSON {kind.__name__}, got {text[:80]}")
    return data
