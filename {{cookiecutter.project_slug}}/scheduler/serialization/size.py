"""How much a value refers to, found out without a call for each level and without making text."""

from __future__ import annotations

from typing import Any


def exceeds(value: Any, items: int) -> bool:
    """Return whether built-in containers refer to more items, counted at each reference.

    A few objects that refer to each other may make a text, or a repr, that does not end.
    """
    left, number = [value], 0
    while left:
        each = left.pop()
        if isinstance(each, (list, tuple, set, frozenset, dict)):
            number += len(each)
            if number > items:
                return True
            left.extend(each)
            left.extend(each.values() if isinstance(each, dict) else ())
    return False
