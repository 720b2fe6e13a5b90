"""What other schedulers write into cron fields, and what to write here instead."""

from __future__ import annotations

import re
from typing import Any

from apscheduler.triggers.cron.expressions import MONTHS, WEEKDAYS

FIELDS: tuple[tuple[str, str], ...] = (
    (r"l|l-\d+", 'for the last day of the month use the trigger "cron" with day="last"'),
    (r"\d*lw|\d+w|w", "no trigger finds the nearest working day: run on mon-fri, and let the "
                      "function look at the date"),
    (r"\w+l|l\w+", 'for the last Friday of the month use the trigger "cron" with day="last fri"'),
    (r"\w+#\d+", 'for the third Friday of the month use the trigger "cron" with day="3rd fri"'),
    (r"\?", "write * instead"),
    (r"h(\(.*\))?(/\d+)?", "write a number; to spread runs, add jitter= in seconds"),
    (r".*~.*", "write the first number, and add jitter= in seconds"),
)  # fmt: skip
"""Patterns of a member of a list, in lower case: of Quartz, Jenkins, OpenBSD."""
ZONE = re.compile(r"(?:cron_)?tz=(\S+)\s", re.IGNORECASE)
VARIABLE = re.compile(r"[a-z_]+\s*=", re.IGNORECASE)
COMMAND = re.compile(r"/[a-z_]|^root$", re.IGNORECASE)
RANGE = re.compile(r"(\w+)-(\w+)")


def field_hint(text: str) -> str:
    """Return what to write instead of a member of a field, after a semicolon; empty if unknown."""
    for pattern, hint in FIELDS:
        if re.fullmatch(pattern, text.lower()):
            return f"; {hint}"
    return ""


def line_hint(line: str) -> str:
    """Return what to write instead of a whole line; empty if it is of no known dialect."""
    text = line.strip()
    if match := ZONE.match(text):
        return f'give timezone="{match[1]}" beside the line, and the five fields alone in it'
    if VARIABLE.match(text):
        return "leave out variables: a job has its project's environment"
    if text.lower() == "@reboot":
        return (
            'nothing fires when the machine starts: add a job with the trigger "date" where your '
            "project starts, or let the system start the work"
        )
    if text.lower().startswith("@every"):
        return 'use the trigger "interval", such as minutes=5'
    words = text.split()
    if len(words) > 5 and any(map(COMMAND.search, words[5:])):
        return "leave out the user and the command: the job names its function"
    return ""


def turned_around(text: str, names: tuple[Any, ...], low: int, high: int) -> str:
    """Return what to write instead of a range that runs backwards, such as 22-2 or sun-thu."""
    match = RANGE.fullmatch(text)
    if match is None:
        return ""
    ends = [names[0], names[-1]] if names else [low, high]
    first, last = match.groups()
    parts = [first if first == str(ends[1]) else f"{first}-{ends[1]}"]
    parts.append(last if last == str(ends[0]) else f"{ends[0]}-{last}")
    return f"; write {','.join(parts)}"


NAMES = {"month": tuple(MONTHS), "day_of_week": tuple(WEEKDAYS)}
"""In APScheduler's order, in which the week begins on Monday."""
