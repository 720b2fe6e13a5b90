"""Numbers, times and JSON on the command line, refused beyond the bounds of what takes them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ...serialization.text import parse

MAX_COUNT = 10**9
MAX_SECONDS = 10**9
MAX_HOURS = 10**6
"""More than a century; the calendar of Python, and of a database, begins somewhere."""


def number(kind: Callable[[str], float], most: int) -> Callable[[str], Any]:
    """Return what reads a number from 0 to ``most``; NaN is none."""

    def read(text: str) -> float:
        try:
            found = kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ArgumentTypeError(f"{text[:80]!r} is not {what}") from None
        if not 0 <= found <= most:
            raise ArgumentTypeError(f"must be between 0 and {most}, not {text[:80]}")
        return found

    return read


count = number(int, MAX_COUNT)
seconds = number(float, MAX_SECONDS)
hours = number(float, MAX_HOURS)


def moment(text: str) -> datetime:
    """Read a date or a date and time, of the current zone if it names none."""
    try:
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)):
            found = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (made aware below)
        if found is not None:
            return found if found.tzinfo else timezone.make_aware(found)
    except (ValueError, OverflowError):
        pass
    raise ArgumentTypeError(
        f"{text[:80]!r} is not a date or a date and time, such as 2031-05-01 or 2031-05-01T12:30"
    )


def json_of(kind: type) -> Callable[[str], Any]:
    """Return what reads a JSON list or object."""

    def read(text: str) -> Any:
        try:
            value = parse(text)
        except ValueError as error:
            raise ArgumentTypeError(f"not valid JSON: {str(error)[:200]}") from None
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"must be a JSON {'list' if kind is list else 'object'}")
        return value

    return read
