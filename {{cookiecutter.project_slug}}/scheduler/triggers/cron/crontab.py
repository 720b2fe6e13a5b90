"""Parse standard five-field crontab expressions.

minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, day of week 0-7 or sun-sat,
where 0 and 7 are both Sunday; ``*``, lists, ranges and steps; or ``@hourly`` and its like.
As in cron, if neither day field starts with ``*``, a day needs to match only one of them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from apscheduler.triggers.cron.expressions import MONTHS

from ..errors import TriggerError
from .dialects import field_hint, line_hint, turned_around
from .expressions import MAX_LENGTH, weekday_names

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


class Column(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


COLUMNS = (
    Column("minute", 0, 59),
    Column("hour", 0, 23),
    Column("day", 1, 31),
    Column("month", 1, 12, tuple(MONTHS)),
    Column("day_of_week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def parse(expr: str) -> dict[str, Any]:
    """Return the arguments of the cron trigger that a crontab line's first five fields describe.

    Args:
        expr: for example ``"30 4 1,15 * 5"`` or ``"@daily"``.

    Raises:
        TriggerError: not a crontab expression; the message names the field.
    """
    if not isinstance(expr, str):
        raise TriggerError(f"expected a crontab expression, got {expr!r}", "expr")
    texts = _split(expr)
    fields: dict[str, Any] = {
        column.name: _expression(column, text) for column, text in zip(COLUMNS, texts, strict=True)
    }
    either = not any(texts[index].startswith("*") for index in (2, 4))
    if either and "*" in (fields["day"], fields["day_of_week"]):
        fields |= {"day": "*", "day_of_week": "*"}  # 0-6 is each day, and one field is enough
    return fields | {"second": "0", "days": "either" if either else "both"}


def _split(expr: str) -> list[str]:
    if len(expr) > MAX_LENGTH:
        raise TriggerError(f"{expr[:40]!r}... is longer than {MAX_LENGTH} characters", "expr")
    text = expr.strip().lower()
    if text not in NICKNAMES and (hint := line_hint(expr)):
        raise TriggerError(f"{expr!r}: {hint}", "expr")
    if text.startswith("@"):
        if text not in NICKNAMES:
            raise TriggerError(f"{expr!r} is none of {', '.join(NICKNAMES)}", "expr")
        text = NICKNAMES[text]
    texts = text.split()
    if len(texts) != len(COLUMNS):
        raise TriggerError(
            f"{expr!r} has {len(texts)} fields, expected 5: minute, hour, day of month, month, "
            "day of week (for seconds, years or weeks use a cron trigger)",
            "expr",
        )
    return texts


def _expression(column: Column, text: str) -> str:
    parts = [_part(column, part) for part in text.split(",")]
    if any(part == (column.low, column.high, 1) for part in parts):
        return "*"
    if column.name == "day_of_week":
        return weekday_names({(n - 1) % 7 for part in parts for n in _numbers(*part)})
    return ",".join(_text(column, *part) for part in parts)


def _part(column: Column, text: str) -> tuple[int, int, int]:
    """Return first, last and step of one member of a list."""
    match = PART.fullmatch(text)
    if not match:
        raise TriggerError(
            f"{text!r} is not understood{field_hint(text) or '; write *, a, a-b, */n or a-b/n'}",
            column.name,
        )
    first, last, step = column.low, column.high, int(match["step"] or 1)
    if match["first"]:
        first = _number(column, match["first"])
        if match["last"]:
            last = _number(column, match["last"])
        elif not match["step"]:
            last = first
    if last == 0 and column.name == "day_of_week" and first > 0:
        last = 7  # sat-sun
    if first > last:
        hint = turned_around(text, column.names, column.low, column.high)
        raise TriggerError(f"the range {text!r} runs backwards{hint}", column.name)
    _check_step(column, text, step)
    return first, last, step


def _number(column: Column, text: str) -> int:
    if text in column.names:
        return column.names.index(text) + column.low
    if text.isdecimal() and column.low <= int(text) <= column.high:
        return int(text)
    names = f" or {column.names[0]} to {column.names[-1]}" if column.names else ""
    raise TriggerError(
        f"{text!r} is not a number from {column.low} to {column.high}{names}{field_hint(text)}",
        column.name,
    )


def _check_step(column: Column, text: str, step: int) -> None:
    size = column.high - column.low + 1
    if step == 0:
        raise TriggerError(f"the step of {text!r} must be at least 1", column.name)
    if step > size:
        raise TriggerError(
            f"the step of {text!r} is longer than the field, so it would only match "
            "its first value; use an interval trigger for longer periods",
            column.name,
        )


def _numbers(first: int, last: int, step: int) -> range:
    return range(first, last + 1, step)


def _text(column: Column, first: int, last: int, step: int) -> str:
    if first == last or first + step > last:
        return str(first)
    if step == 1:
        return f"{first}-{last}"
    return f"*/{step}" if (first, last) == (column.low, column.high) else f"{first}-{last}/{step}"
