"""The field expressions of a cron trigger: APScheduler's, checked strictly, named clearly."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from apscheduler.triggers.cron.expressions import WEEKDAYS
from apscheduler.triggers.cron.fields import MAX_VALUES, MIN_VALUES, BaseField

from .errors import TriggerError

FIELDS: tuple[str, ...] = StockCronTrigger.FIELD_NAMES
WEEK = [date(2001, 1, day) for day in range(1, 8)]  # from Monday
SPECIAL = {
    "month": ", or jan to dec",
    "day": ", or a position such as '2nd fri' or 'last'",
    "day_of_week": " where 0 is Monday, or mon to sun",
}


def checked(name: str, value: Any) -> str:
    """``value`` as the text of a valid expression for the field ``name``.

    Weekdays come back by name: APScheduler's 0 is Monday, cron's is Sunday, a name is neither.

    Raises:
        TriggerError: not an expression, or out of the field's range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TriggerError(f"expected a number or an expression, got {value!r}", name)
    text = re.sub(r"\s*,\s*", ",", str(value).strip().lower())
    field = field_of(name, text)
    if name == "day_of_week" and re.search(r"\d", text):
        return weekday_names({day.weekday() for day in WEEK if matches(field, day)})
    parts = str(field).split(",")
    return "*" if "*" in parts or "*/1" in parts else ",".join(parts)


def field_of(name: str, text: str) -> BaseField:
    """APScheduler's field for the expression ``text``.

    Raises:
        TriggerError: not an expression, or out of the field's range.
    """
    kind = StockCronTrigger.FIELDS_MAP[name]
    for part in text.split(","):
        # The library looks at the start of a part only, and would drop the "/2" of "mon-fri/2".
        if not any(each.value_re.fullmatch(part) for each in kind.COMPILERS):
            raise TriggerError(f"{part!r} is no expression; {_accepted(name)}", name)
    try:
        return kind(name, text)
    except ValueError as error:
        reason = str(error).removeprefix("Error validating expression ")
        raise TriggerError(f"{reason}; {_accepted(name)}", name) from None


def matches(field: BaseField, moment: Any) -> bool:
    """Whether the field's expression holds at ``moment`` (a date or a naive datetime)."""
    return bool(field.get_next_value(moment) == field.get_value(moment))


def weekday_names(days: set[int]) -> str:
    """Weekdays (0 is Monday) as an expression: ``mon-fri``, ``mon,wed``, ``*``."""
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


def _accepted(name: str) -> str:
    limits = f"{MIN_VALUES[name]} to {MAX_VALUES[name]}{SPECIAL.get(name, '')}"
    return f"write *, */n, a, a-b, a-b/n or a list of these, from {limits}"
