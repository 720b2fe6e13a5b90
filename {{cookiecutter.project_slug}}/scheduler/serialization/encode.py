"""Values to JSON. ``decode.py`` is the way back; the tags of both are these."""

from __future__ import annotations

import base64
import enum
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise

from ..conf import conf
from ..triggers.zones import key_of
from .errors import SerializationError
from .pickles import signed_pickle
from .text import dump

DEEPEST = 100
PLAIN = (str, bool, type(None))
HINTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (enum.Enum, "pass its value"),
    (Model, "pass its primary key"),
    (QuerySet, "pass a list of primary keys"),
    (Promise, "pass str() of it"),
    ((str, int, float, list, tuple, dict, set, frozenset, bytes), "pass the plain built-in type"),
    (bytearray, "pass bytes"),
)


def encode(value: Any, where: str, *, pickles: bool = True, depth: int = 0) -> Any:
    """``value`` as what ``json`` can write. ``where`` names it in errors.

    Raises:
        SerializationError: names the value's place and type.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if depth > DEEPEST:
        raise SerializationError(f"{where[:80]}…: nested too deeply, or contains itself")

    def inner(item: Any, step: str) -> Any:
        return encode(item, f"{where}{step}", pickles=pickles, depth=depth + 1)

    if kind in NUMBERS:
        return NUMBERS[kind](value, where)
    if kind is dict:
        return _dict(value, inner)
    if kind in SEQUENCES:
        items = [inner(item, f"[{n}]") for n, item in enumerate(value)]
        return SEQUENCES[kind](items)
    if kind in SCALARS:
        tag, write = SCALARS[kind]
        return {tag: write(value, where)}
    if pickles and conf().ALLOW_PICKLE:
        return {"$pickle": signed_pickle(value, where)}
    raise SerializationError(
        f"{where}: a value of type {_name(kind)} cannot be stored; {_hint(value)}"
    )


def _dict(value: dict[Any, Any], inner: Callable[[Any, str], Any]) -> Any:
    names = list(value)
    looks_tagged = len(names) == 1 and str(names[0]).startswith("$")
    if all(type(name) is str for name in names) and not looks_tagged:
        return {name: inner(item, f"[{name!r}]") for name, item in value.items()}
    # JSON would turn the key 1 into "1".
    return {
        "$dict": [
            [inner(name, f" key {name!r}"), inner(item, f"[{name!r}]")]
            for name, item in value.items()
        ]
    }


def _int(value: int, where: str) -> int:
    if value.bit_length() > 13_000:  # Python does not read longer numbers back
        raise SerializationError(f"{where}: an int of {value.bit_length()} bits is too long")
    return value


def _float(value: float, where: str) -> Any:
    return value if math.isfinite(value) else {"$float": str(value)}


def _moment(value: datetime | time, where: str) -> str:
    if value.tzinfo is None or isinstance(value.tzinfo, timezone):  # its offset is in the text
        return value.isoformat()
    return f"{value.isoformat()}[{_key(value, where)}]"


def _key(value: datetime | time, where: str) -> str:
    if value.tzinfo and (key := key_of(value.tzinfo)):
        return key
    raise SerializationError(f"{where}: the zone {value.tzinfo!r} has no name; pass one that has")


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _hint(value: Any) -> str:
    for kinds, hint in HINTS:
        if isinstance(value, kinds):
            return hint
    return "pass plain data from which the job can find it"


NUMBERS: dict[type, Callable[[Any, str], Any]] = {int: _int, float: _float}
SEQUENCES: dict[type, Callable[[list[Any]], Any]] = {
    list: lambda items: items,
    tuple: lambda items: {"$tuple": items},
    set: lambda items: {"$set": sorted(items, key=dump)},
    frozenset: lambda items: {"$frozenset": sorted(items, key=dump)},
}
SCALARS: dict[type, tuple[str, Callable[[Any, str], str]]] = {
    bytes: ("$bytes", lambda value, where: base64.b64encode(value).decode()),
    datetime: ("$datetime", _moment),
    date: ("$date", lambda value, where: value.isoformat()),
    time: ("$time", _moment),
    timedelta: ("$timedelta", lambda value, where: duration_iso_string(value)),
    Decimal: ("$decimal", lambda value, where: str(value)),
    UUID: ("$uuid", lambda value, where: str(value)),
}
