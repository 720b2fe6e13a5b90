"""Encode values as JSON. ``decode.py`` is the way back; the tags of both are these."""

from __future__ import annotations

import base64
import enum
import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise

from ..conf import conf
from ..triggers.timezones import key_of
from .errors import SerializationError
from .pickles import signed_pickle
from .size import exceeds
from .text import MAX_DEPTH, dump

MAX_CHARS = 4_000_000
"""Characters of arguments, about: MariaDB takes statements of 16 MB, four bytes a character."""
MAX_ITEMS = 250_000
"""Items of all lists, dicts ... in arguments: encoding them holds the interpreter for a second."""
REMEDY = "Pass a key or a path from which the job can find the data"
PLAIN = (str, bool, type(None))
Place: TypeAlias = "str | tuple[Place, str, Any]"
"""A name, or a place, how a step from there is written, and the step: made text only in errors."""
HINTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (enum.Enum, "pass its value"),
    (Model, "pass its primary key"),
    (QuerySet, "pass a list of primary keys"),
    (Promise, "pass str() of it"),
    (datetime, "pass a plain datetime, such as datetime.fromisoformat(value.isoformat())"),
    ((date, time), "pass the plain type of the module datetime, by fromisoformat()"),
    (timedelta, "pass a plain timedelta, such as timedelta(seconds=value.total_seconds())"),
    ((str, int, float, list, tuple, dict, set, frozenset, bytes), "pass the plain built-in type"),
    (bytearray, "pass bytes"),
)


class Encoder:
    """Turns values into what ``json`` can write, all together within a number of characters.

    Of a value that is referenced many times each reference is written, so that few objects can
    make more text than any memory holds.

    Args:
        limit: of characters, for all values of this encoder.
        pickles: whether ``APSCHEDULER_ALLOW_PICKLE`` counts.
        cuts: whether what exceeds the limit is left out, by whoever cuts the text afterwards;
            otherwise it is refused.
    """

    def __init__(self, limit: int = MAX_CHARS, *, pickles: bool = True, cuts: bool = False) -> None:
        self._limit = self._left = limit
        self._pickles = pickles
        self._cuts = cuts

    def encode(self, value: Any, where: Place, depth: int = 0) -> Any:
        """Return ``value`` as what ``json`` can write.

        Args:
            where: names it in errors.

        Raises:
            SerializationError: names the value's place and type.
        """
        kind = as_stored(type(value))
        self._spend(2 + (len(value) if kind in (str, bytes) else 0), where)
        if kind in PLAIN:
            return value
        if depth > MAX_DEPTH:
            raise SerializationError(f"{_name(where)}: nested too deeply, or contains itself")
        if kind in NUMBERS:
            return NUMBERS[kind](value, where)
        if kind is dict:
            return self._dict(value, where, depth)
        if kind in SEQUENCES:
            places = ((item, (where, "[%r]", n)) for n, item in enumerate(value))
            return SEQUENCES[kind](self._each(places, depth))
        if kind in SCALARS:
            tag, write = SCALARS[kind]
            return {tag: write(value, where)}
        if self._pickles and conf().ALLOW_PICKLE:
            return {"$pickle": signed_pickle(value, _name(where))}
        raise SerializationError(
            f"{_name(where)}: a value of type {_type(kind)} cannot be stored; {_hint(value)}"
        )

    def _dict(self, value: dict[Any, Any], where: Place, depth: int) -> Any:
        # Each key with its item: of what exceeds the limit, the text ends in the middle.
        looks_tagged = len(value) == 1 and str(next(iter(value))).startswith("$")
        if all(type(name) is str for name in value) and not looks_tagged:
            found = {}
            for name, item in value.items():
                self._spend(len(name), where)
                found[name] = self.encode(item, (where, "[%r]", name), depth + 1)
                if self._left < 0:
                    break
            return found
        # JSON would turn the key 1 into "1".
        pairs = []
        for name, item in value.items():
            key = self.encode(name, (where, " key %r", name), depth + 1)
            pairs.append([key, self.encode(item, (where, "[%r]", name), depth + 1)])
            if self._left < 0:
                break
        return {"$dict": pairs}

    def _each(self, places: Iterable[tuple[Any, Place]], depth: int) -> list[Any]:
        found = []
        for item, where in places:
            found.append(self.encode(item, where, depth + 1))
            if self._left < 0:
                break
        return found

    def _spend(self, characters: int, where: Place) -> None:
        self._left -= characters
        if self._left < 0 and not self._cuts:
            raise SerializationError(
                f"{_name(where)}: the arguments have more than {self._limit} characters. {REMEDY}"
            )


def check_number(values: Any, where: str) -> None:
    """Check how many items arguments refer to, before any of them is written.

    Raises:
        SerializationError: too many, as where a list holds another one twice, and so on.
    """
    if exceeds(values, MAX_ITEMS):
        raise SerializationError(
            f"{where}: more than {MAX_ITEMS} items, or it contains itself. {REMEDY}"
        )


def as_stored(kind: type) -> type:
    """Return the type as which a value is stored: freezegun's stand-ins are what they replace."""
    return kind.__mro__[1] if kind.__module__ == "freezegun.api" else kind


def _int(value: int, where: Place) -> int:
    if value.bit_length() > 13_000:  # Python does not read longer numbers back
        raise SerializationError(f"{_name(where)}: an int of {value.bit_length()} bits is too long")
    return value


def _float(value: float, where: Place) -> Any:
    return value if math.isfinite(value) else {"$float": str(value)}


def _moment(value: datetime | time, where: Place) -> str:
    if value.tzinfo is None or isinstance(value.tzinfo, timezone):  # its offset is in the text
        return value.isoformat()
    if key := key_of(value.tzinfo):
        return f"{value.isoformat()}[{key}]"
    raise SerializationError(
        f"{_name(where)}: the zone {value.tzinfo!r} has no name; pass one that has, such as "
        'zoneinfo.ZoneInfo("Europe/Berlin")'
    )


def _name(where: Place) -> str:
    """Return the place as Python would write it, such as ``args[1]['x']``."""
    steps: list[str] = []
    while not isinstance(where, str):
        where, form, step = where
        steps.append(form % (step,))
    return "".join([where, *reversed(steps)])[:200]


def _type(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _hint(value: Any) -> str:
    for kinds, hint in HINTS:
        if isinstance(value, kinds):
            return hint
    return "pass plain data from which the job can find it"


NUMBERS: dict[type, Callable[[Any, Place], Any]] = {int: _int, float: _float}
SEQUENCES: dict[type, Callable[[list[Any]], Any]] = {
    list: lambda items: items,
    tuple: lambda items: {"$tuple": items},
    set: lambda items: {"$set": sorted(items, key=dump)},
    frozenset: lambda items: {"$frozenset": sorted(items, key=dump)},
}
SCALARS: dict[type, tuple[str, Callable[[Any, Place], str]]] = {
    bytes: ("$bytes", lambda value, where: base64.b64encode(value).decode()),
    datetime: ("$datetime", _moment),
    date: ("$date", lambda value, where: value.isoformat()),
    time: ("$time", _moment),
    timedelta: ("$timedelta", lambda value, where: duration_iso_string(value)),
    Decimal: ("$decimal", lambda value, where: str(value)),
    UUID: ("$uuid", lambda value, where: str(value)),
}
