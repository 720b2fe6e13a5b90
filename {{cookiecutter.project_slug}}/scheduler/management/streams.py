"""What commands read and write, whatever the locale."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Any


def escape_on_stdout() -> None:
    """Have stdout escape letters that its encoding lacks, as stderr does, rather than raise.

    ``LANG=C`` is UTF-8 to Python; an older locale, or ``PYTHONIOENCODING``, need not be. The log
    goes to stdout, too: a job's name is no reason to lose its lines.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def takes_all_letters(stream: Any) -> bool:
    """Return whether the stream encodes every letter; one in memory does."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def as_typed(value: Any) -> Any:
    """Return an argument, or a list of them, as the UTF-8 that a terminal sends.

    In a locale whose encoding lacks a letter, Python keeps its bytes as lone surrogates, which no
    id may contain. Bytes that are no UTF-8 stay so, and are refused by name.
    """
    if isinstance(value, list):
        return [as_typed(each) for each in value]
    if not isinstance(value, str) or not any("\udc80" <= letter <= "\udcff" for letter in value):
        return value
    try:
        return os.fsencode(value).decode("utf-8")
    except UnicodeError:
        return value
