from __future__ import annotations

from typing import Any

from .encode import encode
from .errors import SerializationError
from .text import dump


def dumps_result(value: Any, limit: int) -> str:
    """A return value as JSON of at most ``limit`` characters. Never fails.

    A value that JSON cannot carry is described: ``{"$repr":"<Report 7>"}``. One that is too long
    is cut: ``{"$cut":"its first characters"}``. A ``limit`` too small even for that gives ``null``.
    """
    try:
        text = dump(encode(value, "result", pickles=False))
    except SerializationError:
        text = dump({"$repr": _repr(value)})
    return text if len(text) <= limit else _cut(text, limit)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # a body's own class: its repr may do anything
        return f"<{type(value).__qualname__} whose repr raises {type(error).__name__}>"


def _cut(text: str, limit: int) -> str:
    kept = max(limit - len('{"$cut":""}'), 0)
    while kept > 0:
        cut = dump({"$cut": text[:kept]})
        if len(cut) <= limit:
            return cut
        kept -= len(cut) - limit  # what escaping added
    return "null"
