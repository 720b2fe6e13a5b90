"""What a job function returned, as JSON that never fails and never grows too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .encode import Encoder
from .errors import SerializationError
from .size import exceeds
from .text import dump

MAX_SHOWN = 100_000
"""How many items a value may refer to whose repr is shown."""


def dumps_result(
    value: Any, limit: int, cut_before: Callable[[str, int], int] = lambda text, at: at
) -> str:
    """Return a value as JSON of at most ``limit`` characters. Never fails.

    A value that JSON cannot carry is described: ``{"$repr":"<Report 7>"}``. One that is too long
    is cut: ``{"$cut":"its first characters"}``. A ``limit`` too small even for that gives ``null``.
    ``cut_before`` moves the place of a cut to the front, so that it goes through no secret.
    """
    if value is None:
        return "null"
    try:
        # Some characters more than the limit, so that what is left out is cut off in any case.
        text = dump(Encoder(limit + 10, pickles=False, cuts=True).encode(value, "result"))
    except (SerializationError, RecursionError):  # the body may have returned from far down
        text = dump({"$repr": _repr(value)})
    return text if len(text) <= limit else _cut(text, limit, cut_before)


def _repr(value: Any) -> str:
    if exceeds(value, MAX_SHOWN):
        return f"<{type(value).__qualname__} of {len(value)} items, with what they refer to>"
    try:
        return repr(value)
    except BaseException as error:  # a body's own class: its repr may do anything
        return f"<{type(value).__qualname__} whose repr raises {type(error).__name__}>"


def _cut(text: str, limit: int, cut_before: Callable[[str, int], int]) -> str:
    kept = max(limit - len('{"$cut":""}'), 0)
    while kept > 0:
        kept = cut_before(text, kept)
        cut = dump({"$cut": text[:kept]})
        if len(cut) <= limit:
            return cut
        kept -= len(cut) - limit  # what escaping added
    return "null"
