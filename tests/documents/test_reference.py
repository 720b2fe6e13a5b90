"""The settings and commands pages of a project say what the code says."""

from __future__ import annotations

import pytest

from tests.documents import reference


@pytest.mark.parametrize(
    ("name", "page"),
    [("settings.md", reference.settings_page), ("commands.md", reference.commands_page)],
)
def test_the_page_is_what_the_code_says(name, page):
    written = (reference.DOCS / name).read_text(encoding="utf-8")
    assert written == page(), "run: python -m tests.documents.reference"
