"""Declarations of a test's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scheduler import declarations


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A registry of this test's own; ``declared()`` starts the next release."""
    monkeypatch.setattr(declarations, "errors", {})

    def next_release() -> None:
        monkeypatch.setattr(declarations, "_declared", [])

    next_release()
    return next_release
