"""What a subcommand answers: data for ``--json``, lines for people, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from ..admin.times import duration

DONE = 0
FAILED = 1
USAGE = 2  # argparse's
UNKNOWN = 3
NOBODY = 4
TIMEOUT = 5

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, or the run failed; 2 usage; 3 no such job or execution; "
    "4 no scheduler is alive, or it is not well; 5 the run had not ended in time."
)


@dataclass
class Answer:
    data: Any
    lines: list[str] = field(default_factory=list)
    code: int = DONE


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Columns as wide as they need to be; one line if there is nothing."""
    if not rows:
        return ["Nothing."]
    cells = [list(heads), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def cell(value: Any) -> str:
    """One value on one line, times in the current zone, durations as the admin shows them."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, timedelta):
        return duration(value)
    return " ".join(str(value).split())
