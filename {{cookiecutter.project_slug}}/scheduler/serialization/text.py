"""JSON as text that any database column and any page holds."""

from __future__ import annotations

import json
from typing import Any


def dump(data: Any) -> str:
    """Compact JSON, readable where it can be."""
    return _written(data, separators=(",", ":"), allow_nan=False)


def readable(data: Any, indent: int | None = None) -> str:
    """The same for people."""
    return _written(data, indent=indent)


def _written(data: Any, **options: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, **options)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: nothing takes them unescaped
        return json.dumps(data, **options)
    return text
