"""Decode JSON into the values that ``encode.py`` wrote."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_duration

from ..triggers.timezones import zone_named
from .errors import SerializationError
from .pickles import trusted_pickle
from .text import MAX_DEPTH

ZONED = re.compile(r"(?P<clock>[^\[]+)(?:\[(?P<zone>[^\]]+)\])?")


def decode(data: Any, where: str, depth: int = 0) -> Any:
    """Return the value that ``Encoder`` was given. ``where`` names it in errors.

    Raises:
        SerializationError: an unknown tag, a value that its tag cannot read, or one nested deeper
            than any that is stored.
    """
    if not isinstance(data, (list, dict)):
        return data
    if depth > MAX_DEPTH:
        raise SerializationError(f"{where[:80]}…: nested too deeply")
    if isinstance(data, list):
        return [decode(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(data)]
    if len(data) == 1 and (tag := next(iter(data))).startswith("$"):
        return _tagged(tag, data[tag], where, depth + 1)
    return {name: decode(item, f"{where}[{name!r}]", depth + 1) for name, item in data.items()}


def _tagged(tag: str, content: Any, where: str, depth: int) -> Any:
    try:
        if tag in SCALARS:
            return SCALARS[tag](content)
        if tag in SEQUENCES:
            return SEQUENCES[tag](
                decode(item, f"{where}[{n}]", depth) for n, item in enumerate(content)
            )
        if tag == "$dict":
            return {decode(k, where, depth): decode(v, where, depth) for k, v in content}
    except SerializationError:
        raise
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        # Neither the content nor the error's text, which repeats it: it may be secret.
        raise SerializationError(f"{where}: cannot read {tag}: {type(error).__name__}") from None
    if tag == "$pickle":
        return trusted_pickle(content, where)
    raise SerializationError(f"{where}: unknown tag {tag}")


def _datetime(text: str) -> datetime:
    clock, zone = _zoned(text)
    value = datetime.fromisoformat(clock)
    return value.astimezone(zone) if zone else value


def _time(text: str) -> time:
    clock, zone = _zoned(text)
    value = time.fromisoformat(clock)
    return value.replace(tzinfo=zone) if zone else value


def _zoned(text: str) -> tuple[str, tzinfo | None]:
    match = ZONED.fullmatch(text)
    if match is None:
        raise ValueError("not a time")
    if not (name := match["zone"]):
        return match["clock"], None
    # A fixed UTC offset has no brackets, so this UTC was a ZoneInfo.
    return match["clock"], ZoneInfo("UTC") if name == "UTC" else zone_named(name)


def _timedelta(text: str) -> timedelta:
    value = parse_duration(text)
    if value is None:
        raise ValueError("not a duration")
    return value


SCALARS: dict[str, Callable[[Any], Any]] = {
    "$float": float,
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$datetime": _datetime,
    "$date": date.fromisoformat,
    "$time": _time,
    "$timedelta": _timedelta,
    "$decimal": Decimal,
    "$uuid": UUID,
}
SEQUENCES: dict[str, Callable[[Any], Any]] = {"$tuple": tuple, "$set": set, "$frozenset": frozenset}
