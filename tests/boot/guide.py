"""The commands of docs/deploy.md. Standard library only: it is also read inside the container."""

from __future__ import annotations

import re


def commands(text: str, heading: str) -> list[str]:
    """The lines of all ``sh`` blocks under ``heading``, without comments."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section, f"no heading {heading!r}"
    lines = [
        line.partition("  #")[0].strip()
        for block in re.findall(r"^```sh\n(.*?)^```", section[1], re.M | re.S)
        for line in block.splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.M)
