"""JSON as text that any database column and any page holds."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 100
"""How deep values may be nested, of arguments and of results. Each level is some calls."""
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
MAX_LEVELS = 3 * MAX_DEPTH + 3
"""Levels of JSON: a tag makes up to three of one."""


def parse(text: Any) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: not JSON, or nested so deeply that whoever walks it would fail.
        TypeError: no text.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_LEVELS and _is_deep(data):
        raise ValueError("nested too deeply")
    return data


def dump(data: Any) -> str:
    """Write data as compact JSON, readable where it can be."""
    return _encodable(_COMPACT.encode(data), data, separators=(",", ":"), allow_nan=False)


def readable(data: Any, indent: int | None = None) -> str:
    """Write data as JSON for people."""
    return _encodable(json.dumps(data, ensure_ascii=False, indent=indent), data, indent=indent)


def _is_deep(data: Any) -> bool:
    """Look level by level, without a call for each."""
    level = [data]
    for _ in range(MAX_LEVELS + 1):
        level = [item for each in level for item in _items(each) if isinstance(item, (list, dict))]
        if not level:
            return False
    return True


def _items(data: Any) -> Any:
    return data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()


def _encodable(text: str, data: Any, **options: Any) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: nothing takes them unescaped
        return json.dumps(data, **options)
    return text
