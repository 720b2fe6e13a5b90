"""Ids and references as a table shows them: they may break after a dot, not inside a word."""

from __future__ import annotations

import re

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

PLACES = re.compile(r"(?<=[._:/])(?=\w)")


def breakable(text: str) -> SafeString:
    """``text`` with a ``<wbr>`` wherever a line may end."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in PLACES.split(text)))
