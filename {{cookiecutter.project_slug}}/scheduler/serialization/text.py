"""JSON as text that any database column holds."""

from __future__ import annotations

import json
from typing import Any


def dump(data: Any) -> str:
    """Compact JSON, readable where it can be."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: no database takes them unescaped
        return json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text
