"""The field expressions of a cron trigger: APScheduler's, checked strictly, named clearly."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from apscheduler.triggers.cron.expressions import WEEKDAYS
from apscheduler.triggers.cron.fields import MAX_VALUES, MIN_VALUES, BaseField

from ..errors import TriggerError
from .dialects import NAMES, field_hint, turned_around

FIELDS: tuple[str, ...] = StockCronTrigger.FIELD_NAMES
WEEK = [date(2001, 1, day) for day in range(1, 8)]  # from Monday
MAX_LENGTH = 1_000
"""Characters of an expression: each value of a field, written out, takes less."""
MAX_YEAR = 9999
SPECIAL = {
    "month": ", or jan to dec",
    "day": ", or a position such as '2nd fri' or 'last'",
    "day_of_week": " where 0 is Monday, or mon to sun",
}


def checked(name: str, value: Any) -> str:
    """Return ``value`` as the text of a valid expression for the field ``name``.

    Weekdays come back by name: APScheduler's 0 is Monday, cron's is Sunday, a name is neither.

    Raises:
        TriggerError: not an expression, or out of the field's range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TriggerError(f"expected a number or an expression, got {value!r}", name)
    if isinstance(value, int) and abs(value) > MAX_YEAR:
        raise TriggerError(f"a number is out of range; {_accepted(name)}", name)
    text = str(value)
    if len(text) > MAX_LENGTH:
        raise TriggerError(f"{text[:40]!r}... is longer than {MAX_LENGTH} characters", name)
    text = re.sub(r"\s*,\s*", ",", text.strip().lower())
    field = field_of(name, text)
    if name == "day_of_week" and re.search(r"\d", text):
        return weekday_names({day.weekday() for day in WEEK if matches(field, day)})
    parts = str(field).split(",")
    return "*" if "*" in parts or "*/1" in parts else ",".join(parts)


def field_of(name: str, text: str) -> BaseField:
    """Return APScheduler's field for the expression ``text``.

    Raises:
        TriggerError: not an expression, or out of the field's range.
    """
    kind = StockCronTrigger.FIELDS_MAP[name]
    for part in text.split(","):
        # The library looks at the start of a part only, and would drop the "/2" of "mon-fri/2".
        if not any(each.value_re.fullmatch(part) for each in kind.COMPILERS):
            hint = field_hint(part) or f"; {_accepted(name)}"
            raise TriggerError(f"{part!r} is no expression{hint}", name)
        try:
            kind(name, part)
        except ValueError as error:
            reason = str(error).removeprefix("Error validating expression ")
            hint = _backwards(name, part, reason) or f"; {_accepted(name)}"
            raise TriggerError(f"{reason}{hint}", name) from None
    return kind(name, text)


def matches(field: BaseField, moment: Any) -> bool:
    """Return whether the field's expression holds at ``moment`` (a date or a naive datetime)."""
    return bool(field.get_next_value(moment) == field.get_value(moment))


def weekday_names(days: set[int]) -> str:
    """Return weekdays (0 is Monday) as an expression: ``mon-fri``, ``mon,wed``, ``*``."""
    if len(days) == 7:
        return "*"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(text for run in runs for text in _run(run))


def _run(run: list[int]) -> list[str]:
    names = [WEEKDAYS[day] for day in run]
    return names if len(names) < 3 else [f"{names[0]}-{names[-1]}"]


def _backwards(name: str, part: str, reason: str) -> str:
    """Return what to write instead of a range that runs backwards; empty for other reasons."""
    if "minimum value in a range must not be higher" not in reason:
        return ""
    week = ": the week begins on Monday here" if name == "day_of_week" else ""
    ends = MIN_VALUES[name], MAX_VALUES[name]
    return f"{week}{turned_around(part, NAMES.get(name, ()), *ends)}"


def _accepted(name: str) -> str:
    limits = f"{MIN_VALUES[name]} to {MAX_VALUES[name]}{SPECIAL.get(name, '')}"
    return f"write *, */n, a, a-b, a-b/n or a list of these, from {limits}"
