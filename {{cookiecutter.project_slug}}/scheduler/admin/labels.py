"""Ids and references as a table shows them: they may break after a dot, not inside a word."""

from __future__ import annotations

import re

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

DOTS, UNDERSCORES = re.compile(r"(?<=[.:/])(?=\w)"), re.compile(r"(?<=_)(?=\w)")
LONG = 15
"""Characters from which on a word breaks at its underscores too: else a column is too narrow."""


def breakable(text: str) -> SafeString:
    """``text`` with a ``<wbr>`` wherever a line may end."""
    parts: list[str] = []
    for word in DOTS.split(text):
        parts += UNDERSCORES.split(word) if len(word) >= LONG else [word]
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))
