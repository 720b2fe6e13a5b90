"""System checks of each setting alone: its type, and whether a clock or a calendar can take it."""

from __future__ import annotations

from dataclasses import fields
from os import PathLike
from typing import Any

from django.core.checks import CheckMessage, Error

from ..conf import PREFIX, Conf

MAX_SECONDS = 10**9
"""31 years: what every wait and every database can take."""
MAX_DAYS = 36_500
MAX_COUNT = 10**9
KINDS: dict[type, tuple[str, tuple[type, ...]]] = {
    bool: ("True or False", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("a text", (str, PathLike)),
    tuple: ("a list of texts", (list, tuple)),
    dict: ("a dictionary", (dict,)),
}
"""By the type of a setting's default: in words, and what else passes for it."""


def check_types(options: Conf) -> list[CheckMessage]:
    """Return what is wrong with single settings, such as a text where a number belongs."""
    return [
        Error(
            f"{PREFIX}{name} must be {problem}, not {value!r:.80}.",
            hint="Set it so in the settings of the project.",
            id="scheduler.E020",
        )
        for name, value, problem in _problems(options)
    ]


def _problems(options: Conf) -> list[tuple[str, Any, str]]:
    defaults = Conf()
    names = [field.name for field in fields(Conf)]
    checked = [(name, getattr(options, name), getattr(defaults, name)) for name in names]
    return [(name, value, problem) for name, value, default in checked
            if (problem := _problem(name, value, default))]  # fmt: skip


def _problem(name: str, value: Any, default: Any) -> str:
    words, kinds = KINDS[type(default)]
    is_one = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    is_list = isinstance(value, list | tuple)
    if not is_one or (is_list and not all(isinstance(item, str) for item in value)):
        return words
    if isinstance(default, int | float) and not value <= (most := _most(name, default)):
        return f"{words} of at most {most:,}"  # nan, too
    return ""


def _most(name: str, default: float) -> int:
    if name == "KEEP_DAYS":
        return MAX_DAYS
    return MAX_SECONDS if isinstance(default, float) else MAX_COUNT
